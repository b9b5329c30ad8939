{{/* What a schema cannot say, because it needs two values: each fault is a sentence that ends the rendering. */}}
{{- define "pki-connector.validate" -}}
{{- $settings := include "pki-connector.settings" . | fromYaml }}
{{- $kind := .Values.journal.kind }}
{{- range $section, $listener := dig "service" dict $settings }}
{{- if and (kindIs "map" $listener) (hasKey $listener "listen") (eq (toString (dig "listen" "port" "" $listener)) "0") }}
{{- fail (printf "config.service.%s.listen.port is 0: a Service and probes need a fixed port." $section) }}
{{- end }}
{{- end }}
{{- if has (dig "service" "observe" "listen" "host" "0.0.0.0" $settings) (list "127.0.0.1" "::1" "localhost") }}
{{- fail "config.service.observe.listen.host is a loopback address: the kubelet's probes come from outside the pod. Take 0.0.0.0 and limit who reads metrics with networkPolicy.observeFrom." }}
{{- end }}
{{- if and (eq .Values.image.tag "latest") (not .Values.image.digest) }}
{{- fail "image.tag is latest, which means another program tomorrow: take a version, or image.digest." }}
{{- end }}
{{- if and .Values.demo.enabled (ne $kind "sqlite") }}
{{- fail "demo.enabled needs journal.kind: sqlite, because the simulators are in the pod." }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "ingress.hosts is empty: say under which host name the UEM and the CA post." }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "httpRoute.parentRefs is empty: name the gateway." }}
{{- end }}
{{- include "pki-connector.validateScale" . }}
{{- include "pki-connector.validateRoutes" $settings }}
{{- include "pki-connector.validateSecrets" . }}
{{- include "pki-connector.validateFiles" (list . $settings) }}
{{- end }}

{{- define "pki-connector.validateScale" -}}
{{- $partitions := include "pki-connector.partitions" . | int }}
{{- if and (eq .Values.journal.kind "kafka") .Values.autoscaling.enabled }}
{{- if gt (int .Values.autoscaling.maxReplicas) $partitions }}
{{- fail (printf "autoscaling.maxReplicas is %d and there are %d partitions (config.journal.partitions): more pods than partitions have nothing to do." (int .Values.autoscaling.maxReplicas) $partitions) }}
{{- end }}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) }}
{{- fail "autoscaling.minReplicas is greater than autoscaling.maxReplicas." }}
{{- end }}
{{- else if gt (include "pki-connector.replicas" . | int) $partitions }}
{{- fail (printf "replicaCount is %s and there are %d partitions (config.journal.partitions): more pods than partitions have nothing to do." (include "pki-connector.replicas" .) $partitions) }}
{{- end }}
{{- end }}

{{/* Of the settings: a route's UEM and CA exist. */}}
{{- define "pki-connector.validateRoutes" -}}
{{- $settings := . }}
{{- range $name, $route := dig "routes" dict $settings }}
{{- range $member := list "uem" "ca" }}
{{- $known := dig (printf "%ss" $member) dict $settings }}
{{- $wanted := toString (get $route $member) }}
{{- if not (hasKey $known $wanted) }}
{{- fail (printf "config.routes.%s.%s names no entry of %ss: take one of %s." $name $member $member (keys $known | sortAlpha | join ", " | default "none")) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "pki-connector.validateSecrets" -}}
{{- range $name, $secret := .Values.secrets }}
{{- $sources := list }}
{{- range $source := list "existingSecret" "configMap" "externalSecret" "certificate" "serviceAccountToken" }}
{{- if get $secret $source }}
{{- $sources = append $sources $source }}
{{- end }}
{{- end }}
{{- if ne (len $sources) 1 }}
{{- fail (printf "secrets.%s has %s: give it exactly one of existingSecret, configMap, externalSecret, certificate, serviceAccountToken." $name (join " and " $sources | default "no source")) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Each file that the settings name lies in a volume: (list $ settings) */}}
{{- define "pki-connector.validateFiles" -}}
{{- $ := first . }}
{{- $mounts := list }}
{{- range $.Values.extraVolumeMounts }}
{{- $mounts = append $mounts (printf "%s/" (trimSuffix "/" .mountPath)) }}
{{- end }}
{{- range $name, $secret := $.Values.secrets }}
{{- $mounts = append $mounts (printf "/run/secrets/%s/" $name) }}
{{- end }}
{{- if $.Values.demo.enabled }}
{{- $mounts = append $mounts "/run/secrets/" }}
{{- end }}
{{- range include "pki-connector.files" (list "config" (last .)) | trim | splitList "\n" }}
{{- $place := regexFind "^\\S+" . }}
{{- $path := trimPrefix $place . | trim }}
{{- $found := false }}
{{- range $mounts }}
{{- if hasPrefix . $path }}
{{- $found = true }}
{{- end }}
{{- end }}
{{- if and $path (not $found) }}
{{- fail (printf "%s is %s, which no volume has: the files of secrets.NAME lie under /run/secrets/NAME/, those of extraVolumeMounts under their mountPath." $place $path) }}
{{- end }}
{{- end }}
{{- end }}
