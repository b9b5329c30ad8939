{{/* Metadata and the pods that it is for: (list $ name component annotations) */}}
{{- define "pki-connector.policyOf" -}}
{{- $ := index . 0 -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "pki-connector.metadata" (list $ (index . 1) (index . 2) dict (index . 3)) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "pki-connector.podsOf" (list $ (index . 2)) | nindent 6 }}
  policyTypes:
    - Ingress
    - Egress
{{- end }}

{{- define "pki-connector.dnsEgress" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
  {{- with .Values.networkPolicy.dnsTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "pki-connector.kafkaEgress" -}}
{{- $settings := include "pki-connector.settings" . | fromYaml }}
{{- if eq .Values.journal.kind "kafka" }}
{{- $addresses := list }}
{{- range $settings.journal.bootstrap_servers }}
{{- $addresses = append $addresses (printf "kafka://%s" .) }}
{{- end }}
{{- include "pki-connector.egressRule" (list $ "Kafka" $addresses .Values.networkPolicy.kafkaTo) }}
{{- end }}
{{- end }}

{{/* One rule for each upstream: its proxy where it has one, else itself. */}}
{{- define "pki-connector.upstreamEgress" -}}
{{- $settings := include "pki-connector.settings" . | fromYaml }}
{{- $to := .Values.networkPolicy.upstreamTo }}
{{- range $section := list "cas" "uems" }}
{{- range $name, $upstream := get $settings $section }}
{{- $peers := dig $section $name list $to }}
{{- if $upstream.proxy }}
{{- $peers = dig "proxies" $name list $to }}
{{- end }}
{{- include "pki-connector.egressRule" (list $ (printf "%s.%s" $section $name) (list (default $upstream.address $upstream.proxy)) $peers) }}
{{- end }}
{{- end }}
{{- end }}

{{/* (list $ "what" addresses peers): none for a loopback address, which leaves no pod. */}}
{{- define "pki-connector.egressRule" -}}
{{- $open := eq (first .).Values.networkPolicy.namedHosts "open" }}
{{- $ports := list }}
{{- $blocks := list }}
{{- $named := false }}
{{- range index . 2 }}
{{- $parts := include "pki-connector.hostAndPort" . | splitList "|" }}
{{- $host := first $parts }}
{{- if not (or (hasPrefix "127." $host) (has $host (list "::1" "localhost"))) }}
{{- $ports = append $ports (last $parts | int) | uniq }}
{{- if regexMatch "^[0-9]+(\\.[0-9]+){3}$" $host }}
{{- $blocks = append $blocks (printf "%s/32" $host) | uniq }}
{{- else if contains ":" $host }}
{{- $blocks = append $blocks (printf "%s/128" $host) | uniq }}
{{- else }}
{{- $named = true }}
{{- end }}
{{- end }}
{{- end }}
{{- if and $ports (or (index . 3) $blocks (and $named $open)) }}
# {{ index . 1 }}
- ports:
    {{- range $ports }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
  {{- if index . 3 }}
  to:
    {{- toYaml (index . 3) | nindent 4 }}
  {{- else if not (and $named $open) }}
  to:
    {{- range $blocks }}
    - ipBlock:
        cidr: {{ . | quote }}
    {{- end }}
  {{- end }}
{{ end }}
{{- end }}
