{{/* Settings that fit the simulators beside the connector. For trying out: secrets are thrown away. */}}
{{- define "pki-connector.demoSettings" -}}
handover:
  accept_unlocked_memory: true
uems:
  demo-uem:
    type: workspace_one
    address: https://127.0.0.1:41001
    ca_file: /run/secrets/uem/ca.pem
    username: svc.pki
    password_file: /run/secrets/uem/password
    tenant_code_file: /run/secrets/uem/tenant-code
    archived_mode: list-field
    webhook:
      credentials:
        - user: uem-events
          password_file: /run/secrets/uem/hook
cas:
  demo-ca:
    type: http
    address: https://127.0.0.1:41011
    ca_file: /run/secrets/ca/ca.pem
    client_certificate_file: /run/secrets/ca/client.pem
    client_key_file: /run/secrets/ca/client.key
    webhook:
      secret_files:
        - /run/secrets/ca/hook
routes:
  staff:
    uem: demo-uem
    ca: demo-ca
    identity:
      person_attribute: username
      agreeing_attribute: email
    profiles:
      "*": "4711"
    retention: 60s
    retention_margin: 2s
    other_devices: hold
    unknown_set: replace
    signing: if_escrowed
    look_every:
      first: 1s
      cap: 5s
{{- end }}

{{/* Containers that start before the connector: its secrets, then the simulators, which go on. */}}
{{- define "pki-connector.demoContainers" -}}
{{- $name := include "pki-connector.fullname" . }}
{{- $hooks := printf "https://127.0.0.1:%s/hooks" (include "pki-connector.port" (list . "intake")) -}}
- name: demo-secrets
  {{- include "pki-connector.container" . | nindent 2 }}
  args:
    - simulate
    - secrets
    - --directory=/run/secrets
    - --host=127.0.0.1
    - --host={{ $name }}.{{ .Release.Namespace }}.svc
  {{- include "pki-connector.demoRest" . | nindent 2 }}
- name: demo-ca
  restartPolicy: Always
  {{- include "pki-connector.container" . | nindent 2 }}
  args:
    - simulate
    - ca
    - --directory=/run/secrets/ca
    - --port=41011
    - --control-port=41012
    - --set=webhook.url={{ $hooks }}/standard_webhooks/demo-ca
    - --set=webhook.secret_file=/run/secrets/ca/hook
    - --set=webhook.ca_file=/run/secrets/tls/ca.pem
  {{- include "pki-connector.demoProbe" 41012 | nindent 2 }}
  {{- include "pki-connector.demoRest" . | nindent 2 }}
- name: demo-uem
  restartPolicy: Always
  {{- include "pki-connector.container" . | nindent 2 }}
  args:
    - simulate
    - uem
    - --directory=/run/secrets/uem
    - --port=41001
    - --control-port=41002
    - --retention=60s
    - --password-file=/run/secrets/uem/password
    - --tenant-code-file=/run/secrets/uem/tenant-code
    - --set=webhook.url={{ $hooks }}/workspace_one/demo-uem
    - --set=webhook.user=uem-events
    - --set=webhook.password_file=/run/secrets/uem/hook
    - --set=webhook.ca_file=/run/secrets/tls/ca.pem
  {{- include "pki-connector.demoProbe" 41002 | nindent 2 }}
  {{- include "pki-connector.demoRest" . | nindent 2 }}
{{- end }}

{{- define "pki-connector.demoRest" -}}
resources:
  requests:
    cpu: 50m
    memory: {{ .Values.demo.memory }}
  limits:
    memory: {{ .Values.demo.memory }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: stage
    mountPath: /run/secrets
{{- end }}

{{/* The control interface listens on loopback, where the kubelet cannot ask. */}}
{{- define "pki-connector.demoProbe" -}}
startupProbe:
  exec:
    command:
      - python
      - -c
      - import urllib.request; urllib.request.urlopen("http://127.0.0.1:{{ . }}/_sim/")
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
{{- end }}
