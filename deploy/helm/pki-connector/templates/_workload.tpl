{{- define "pki-connector.lifecycle" -}}
{{- $seconds := include "pki-connector.preStopSeconds" . | int }}
{{- if .Values.lifecycle }}
{{- toYaml .Values.lifecycle }}
{{- else if $seconds -}}
preStop:
  sleep:
    seconds: {{ $seconds }}
{{- end }}
{{- end }}

{{- define "pki-connector.probes" -}}
startupProbe:
  httpGet:
    path: /startupz
    port: observe
  {{- toYaml .Values.startupProbe | nindent 2 }}
livenessProbe:
  httpGet:
    path: /livez
    port: observe
  {{- toYaml .Values.livenessProbe | nindent 2 }}
readinessProbe:
  httpGet:
    path: /readyz
    port: observe
  {{- toYaml .Values.readinessProbe | nindent 2 }}
{{- end }}

{{/* A node that is not needed can be drained: these volumes hold nothing that has to be kept. */}}
{{- define "pki-connector.podAnnotations" -}}
{{- $lost := eq .Values.journal.kind "kafka" | ternary "data,run,tmp" "run,tmp" }}
{{- $own := dict "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes" $lost }}
{{- merge (dict) .Values.podAnnotations .Values.commonAnnotations $own | toYaml }}
{{- end }}

{{/* The folder of the journal, or of its local tables. */}}
{{- define "pki-connector.dataFolder" -}}
{{- include "pki-connector.settings" . | fromYaml | dig "journal" "path" "/var/lib/pki-connector/journal.sqlite" | dir }}
{{- end }}

{{/* Where operators' commands reach the service. */}}
{{- define "pki-connector.socketFolder" -}}
{{- include "pki-connector.settings" . | fromYaml | dig "service" "admin" "socket" "/run/pki-connector/operators.sock" | dir }}
{{- end }}

{{/* Pods of a cluster lie apart, where there is room: the group goes on without one of them. */}}
{{- define "pki-connector.spread" -}}
{{- if .Values.topologySpreadConstraints -}}
topologySpreadConstraints:
  {{- tpl (toYaml .Values.topologySpreadConstraints) . | nindent 2 }}
{{- else if eq .Values.journal.kind "kafka" -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "pki-connector.selectorLabels" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The volume belongs to one pod (ReadWriteOncePod), so its copies are made in that pod. */}}
{{- define "pki-connector.backupContainer" -}}
- name: backup
  {{- include "pki-connector.container" . | nindent 2 }}
  args:
    - journal
    - backups
    - /backup
    - --every={{ .Values.backup.every }}
    - --keep={{ .Values.backup.keep }}
    {{- if .Values.backup.publicKey }}
    - --to-key=/etc/pki-connector/backup-public.pem
    {{- end }}
  resources:
    {{- toYaml .Values.backup.resources | nindent 4 }}
  volumeMounts:
    # Not read-only: a reader of SQLite's log takes its place in the shared index beside it.
    - name: data
      mountPath: {{ include "pki-connector.dataFolder" . }}
    - name: backup
      mountPath: /backup
    {{- include "pki-connector.fileMounts" . | nindent 4 }}
{{- end }}

{{- define "pki-connector.testResources" -}}
requests:
  cpu: 50m
  memory: 128Mi
limits:
  memory: 128Mi
{{- end }}
