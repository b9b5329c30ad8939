{{/* Names. The longest suffix is that of a volume's Secret, 17 characters and a hyphen. */}}
{{- define "pki-connector.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 45 | trimSuffix "-" }}
{{- end }}

{{- define "pki-connector.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" }}
{{- else }}
{{- $name := include "pki-connector.name" . }}
{{- $whole := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- $whole | trunc 45 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* (list $ "suffix") */}}
{{- define "pki-connector.suffixed" -}}
{{- printf "%s-%s" (include "pki-connector.fullname" (first .)) (last .) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "pki-connector.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "pki-connector.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* What selects the pods; never changes, so that an upgrade can keep them. */}}
{{- define "pki-connector.selectorLabels" -}}
{{- include "pki-connector.podsOf" (list . "connector") }}
{{- end }}

{{/* (list $ "component") */}}
{{- define "pki-connector.podsOf" -}}
app.kubernetes.io/name: {{ include "pki-connector.name" (first .) }}
app.kubernetes.io/instance: {{ (first .).Release.Name | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/component: {{ last . }}
{{- end }}

{{/* (list $ "component") */}}
{{- define "pki-connector.labels" -}}
{{- $ := first . -}}
{{- $own := dict
      "app.kubernetes.io/name" (include "pki-connector.name" $)
      "app.kubernetes.io/instance" ($.Release.Name | trunc 63 | trimSuffix "-")
      "app.kubernetes.io/component" (last .)
      "app.kubernetes.io/part-of" "pki-connector"
      "app.kubernetes.io/version" ($.Chart.AppVersion | replace "+" "_" | trunc 63)
      "app.kubernetes.io/managed-by" $.Release.Service
      "helm.sh/chart" (printf "%s-%s" $.Chart.Name $.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") }}
{{- toYaml (merge $own $.Values.commonLabels) }}
{{- end }}

{{/* Labels of pods: none that changes with the chart alone, which would restart them. */}}
{{- define "pki-connector.podLabels" -}}
{{- $ := first . -}}
{{- omit (include "pki-connector.labels" . | fromYaml) "helm.sh/chart" | merge (dict) $.Values.podLabels | toYaml }}
{{- end }}

{{/* The whole metadata: (list $ name component labels annotations) */}}
{{- define "pki-connector.metadata" -}}
{{- $ := index . 0 -}}
name: {{ index . 1 }}
namespace: {{ $.Release.Namespace }}
labels:
  {{- include "pki-connector.labels" (list $ (index . 2)) | nindent 2 }}
  {{- with index . 3 }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (index . 4) $.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "pki-connector.image" -}}
{{- $registry := default .Values.image.registry (.Values.global).imageRegistry }}
{{- $name := .Values.image.repository }}
{{- if $registry }}
{{- $name = printf "%s/%s" $registry $name }}
{{- end }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $name .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "pki-connector.imagePullSecrets" -}}
{{- with concat (default list (.Values.global).imagePullSecrets) .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ kindIs "string" . | ternary . (get (kindIs "map" . | ternary . dict) "name") }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "pki-connector.replicas" -}}
{{- if eq .Values.journal.kind "sqlite" }}1
{{- else }}{{ kindIs "invalid" .Values.replicaCount | ternary 3 .Values.replicaCount }}
{{- end }}
{{- end }}

{{/* Seconds of a duration as the settings write it (30s, 1h30m, PT30S), rounded up. */}}
{{- define "pki-connector.seconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 "w" 604800000 }}
{{- $millis := 0 }}
{{- range regexFindAll "[0-9]+(ms|[smhdw])" (lower . | replace "t" "") -1 }}
{{- $unit := regexFind "[a-z]+" . }}
{{- $millis = add $millis (mul (trimSuffix $unit . | int64) (get $units $unit)) }}
{{- end }}
{{- div (add $millis 999) 1000 }}
{{- end }}

{{- define "pki-connector.preStopSeconds" -}}
{{- kindIs "invalid" .Values.preStopSeconds | ternary (eq .Values.journal.kind "kafka" | ternary 8 0) .Values.preStopSeconds }}
{{- end }}

{{/* From SIGTERM to the end the program takes its drain time and at most 15 seconds more. */}}
{{- define "pki-connector.stopSeconds" -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds }}
{{- $service := get (include "pki-connector.settings" . | fromYaml) "service" }}
{{- $drain := include "pki-connector.seconds" (default "30s" (get $service "drain")) | int }}
{{- add (include "pki-connector.preStopSeconds" .) $drain 15 }}
{{- else }}
{{- .Values.terminationGracePeriodSeconds }}
{{- end }}
{{- end }}
