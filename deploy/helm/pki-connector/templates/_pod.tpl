{{/* What every container of the program has: variables, image, contexts. */}}
{{- define "pki-connector.container" -}}
image: {{ include "pki-connector.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
terminationMessagePath: {{ .Values.terminationMessagePath }}
terminationMessagePolicy: FallbackToLogsOnError
env:
  - name: PKI_CONNECTOR_CONFIG
    value: /etc/pki-connector/settings.yaml
  {{- if ne .Values.terminationMessagePath "/dev/termination-log" }}
  - name: PKI_CONNECTOR_TERMINATION_LOG
    value: {{ .Values.terminationMessagePath | quote }}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Settings and the files that they name. */}}
{{- define "pki-connector.fileMounts" -}}
- name: settings
  mountPath: /etc/pki-connector
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- if .Values.demo.enabled }}
- name: stage
  mountPath: /run/secrets
{{- else }}
{{- range $name, $_ := include "pki-connector.usedSecrets" . | fromYaml }}
- name: secret-{{ $name }}
  mountPath: /run/secrets/{{ $name }}
  readOnly: true
{{- end }}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* (list $ "name of the ConfigMap with the settings") */}}
{{- define "pki-connector.fileVolumes" -}}
{{- $ := first . -}}
- name: settings
  configMap:
    name: {{ last . }}
    defaultMode: 0444
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: {{ $.Values.tmp.sizeLimit }}
{{- if $.Values.demo.enabled }}
- name: stage
  emptyDir:
    sizeLimit: 16Mi
{{- else }}
{{- range $name, $secret := include "pki-connector.usedSecrets" $ | fromYaml }}
- name: secret-{{ $name }}
  {{- include "pki-connector.secretVolume" (list $ $name $secret) | nindent 2 }}
{{- end }}
{{- end }}
{{- with $.Values.extraVolumes }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end }}

{{/* Of one entry of `secrets`. The kubelet gives the files to root and fsGroup and lets the group read them. */}}
{{- define "pki-connector.secretVolume" -}}
{{- $ := index . 0 }}
{{- $name := index . 1 }}
{{- $secret := index . 2 }}
{{- if $secret.configMap -}}
configMap:
  name: {{ tpl $secret.configMap $ }}
  defaultMode: 0444
  {{- with $secret.items }}
  items:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- else if $secret.serviceAccountToken -}}
projected:
  defaultMode: 0400
  sources:
    - serviceAccountToken:
        path: token
        audience: {{ $secret.serviceAccountToken.audience | quote }}
        expirationSeconds: {{ default 3600 $secret.serviceAccountToken.expirationSeconds }}
{{- else -}}
secret:
  secretName: {{ $secret.existingSecret | empty | ternary (include "pki-connector.suffixed" (list $ $name)) (tpl (default "" $secret.existingSecret) $) }}
  defaultMode: 0400
  {{- with $secret.items }}
  items:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Placement and the rest of a pod's spec, the same for all pods. */}}
{{- define "pki-connector.podSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- include "pki-connector.imagePullSecrets" . }}
{{- range $name := list "nodeSelector" "tolerations" "hostAliases" "dnsConfig" }}
{{- with get $.Values $name }}
{{ $name }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- range $name := list "priorityClassName" "runtimeClassName" "schedulerName" "dnsPolicy" }}
{{- with get $.Values $name }}
{{ $name }}: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
