{{/* The program's settings as it will read them: `config`, the kind of journal, in a demo what fits it. */}}
{{- define "pki-connector.settings" -}}
{{- $settings := deepCopy .Values.config }}
{{- if .Values.demo.enabled }}
{{- $settings = mergeOverwrite (include "pki-connector.demoSettings" . | fromYaml) $settings }}
{{- end }}
{{- $intake := dig "service" "intake" dict $settings }}
{{- if not (or $intake.tls $intake.plain_from) }}
{{- $tls := dict "certificate_file" "/run/secrets/tls/tls.crt" "key_file" "/run/secrets/tls/tls.key" }}
{{- $settings = mergeOverwrite $settings (dict "service" (dict "intake" (dict "tls" $tls))) }}
{{- end }}
{{- $settings = mergeOverwrite (dict "audit" (dict "key_file" "/run/secrets/audit/key")) $settings }}
{{- $journal := dict "type" .Values.journal.kind | merge (default dict $settings.journal | deepCopy) }}
{{- $_ := set $settings "journal" $journal }}
{{- omit $settings "routes" | toYaml }}
{{- with $settings.routes }}
routes:
  {{- range $name := include "pki-connector.routeOrder" (list $ .) | fromYamlArray }}
  {{- dict $name (get $settings.routes $name) | toYaml | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Names of the routes in their order, which the keys of values do not have: (list $ routes) */}}
{{- define "pki-connector.routeOrder" -}}
{{- $order := (first .).Values.routeOrder }}
{{- $names := keys (last .) | sortAlpha }}
{{- if gt (len $names) 1 }}
{{- if ne (sortAlpha $order | join ", ") (join ", " $names) }}
{{- fail (printf "config.routes has %s and routeOrder has %s: the first route that fits a user is used, and values keep no order, so routeOrder must list each route once." (join ", " $names) (join ", " $order | default "none")) }}
{{- end }}
{{- toYaml $order }}
{{- else }}
{{- toYaml $names }}
{{- end }}
{{- end }}

{{/* Port of a listener: (list $ "intake") */}}
{{- define "pki-connector.port" -}}
{{- $service := include "pki-connector.settings" (first .) | fromYaml | dig "service" dict }}
{{- dig (last .) "listen" "port" (eq (last .) "intake" | ternary 8443 9464) $service }}
{{- end }}

{{/* Number of partitions of the journal. */}}
{{- define "pki-connector.partitions" -}}
{{- include "pki-connector.settings" . | fromYaml | dig "journal" "partitions" (eq .Values.journal.kind "kafka" | ternary 24 4) }}
{{- end }}

{{/* Paths of all files that settings name, each on a line with its place: (list "place" value) */}}
{{- define "pki-connector.files" -}}
{{- $place := first . }}
{{- $value := last . }}
{{- if kindIs "map" $value }}
{{- range $name, $inner := $value }}
{{- include "pki-connector.files" (list (printf "%s.%s" $place $name) $inner) }}
{{- end }}
{{- else if kindIs "slice" $value }}
{{- range $index, $inner := $value }}
{{- include "pki-connector.files" (list (printf "%s.%d" $place $index) $inner) }}
{{- end }}
{{- else if and (kindIs "string" $value) (regexMatch "_files?(\\.[0-9]+)?$" $place) }}
{{- printf "%s %s\n" $place $value }}
{{- end }}
{{- end }}

{{/* Host and port of an address, as host|port: IPv6 without its brackets. */}}
{{- define "pki-connector.hostAndPort" -}}
{{- $url := urlParse . }}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" }}
{{- $host := regexReplaceAll ":[0-9]+$" $url.host "" | trimPrefix "[" | trimSuffix "]" }}
{{- printf "%s|%s" $host (default (eq $url.scheme "http" | ternary "80" "443") $port) }}
{{- end }}

{{/* The entries of `secrets` of which a setting names a file. */}}
{{- define "pki-connector.usedSecrets" -}}
{{- $files := include "pki-connector.files" (list "config" (include "pki-connector.settings" . | fromYaml)) }}
{{- $used := dict }}
{{- if not .Values.demo.enabled }}
{{- range $name, $secret := .Values.secrets }}
{{- $folder := printf " /run/secrets/%s/" $name }}
{{- if contains $folder $files }}
{{- $_ := set $used $name $secret }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $used }}
{{- end }}
