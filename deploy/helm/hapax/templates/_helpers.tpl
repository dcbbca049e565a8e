{{/* Names and labels. `component` is the process; workers of several Deployments have a name each. */}}
{{- define "hapax.name" -}}
{{- if contains "hapax" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-hapax{{ end }}
{{- end }}

{{- define "hapax.labels" -}}
app.kubernetes.io/name: hapax
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- with .worker }}
hapax/worker: {{ . }}
{{- end }}
{{- end }}

{{- define "hapax.metadata" -}}
name: {{ include "hapax.name" .root }}-{{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "hapax.labels" . | nindent 2 }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .root.Release.Service }}
  helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* Numbers of values are floats: large ones would get an exponent. */}}
{{- define "hapax.text" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{/* The settings that are secrets, by process. What a process does not get, it does not need. */}}
{{- define "hapax.secretSettings" -}}
{{- $all := "DATABASE_URL API_KEYS TEMPORAL_API_KEY TEMPORAL_CODEC_KEYS OTEL_EXPORTER_OTLP_HEADERS" -}}
{{- $builds := "GITHUB_TOKEN GITHUB_APP_PRIVATE_KEY GITHUB_WEBHOOK_SECRET FORGE_CREDENTIALS CALLBACK_SECRET OLLAMA_URL SURREALDB_PASSWORD" -}}
{{- $of := dict "api" "FORGE_WEBHOOK_SECRETS FLOWER_BASIC_AUTH SIGN_IN_CLIENT_SECRET" "worker" "YOUTUBE_API_KEY S3_SECRET_ACCESS_KEY CHECKPOINT_KEY" -}}
{{- if eq . "bridge" }}{{ $all }} AMQP_URL RESULT_REDIS_URL{{ else }}{{ $all }} {{ $builds }} {{ get $of . }}{{ end }}
{{- end }}

{{/* Settings that need one of the secrets that a process does not get. */}}
{{- define "hapax.foreignSettings" -}}
{{- get (dict "api" "^(S3|CHECKPOINT)_" "worker" "^$" "bridge" "^(GITHUB_APP_ID|CONTENT_STORE|(S3|CHECKPOINT|EMBEDDING|SUMMARY|SURREALDB)_)") . }}
{{- end }}

{{- define "hapax.temporalEnvironment" -}}
- { name: TEMPORAL_ADDRESS, value: {{ .Values.temporal.address | quote }} }
- { name: TEMPORAL_NAMESPACE, value: {{ .Values.temporal.namespace | quote }} }
{{- if .Values.temporal.tlsSecret }}
- { name: TEMPORAL_TLS_CA, value: /etc/hapax/temporal/ca.crt }
{{- if .Values.temporal.clientCertificate }}
- { name: TEMPORAL_TLS_CERT, value: /etc/hapax/temporal/tls.crt }
- { name: TEMPORAL_TLS_KEY, value: /etc/hapax/temporal/tls.key }
{{- end }}
{{- end }}
{{- end }}

{{/* The name of the certificate of Temporal, for KEDA. */}}
{{- define "hapax.temporalServerName" -}}
{{- .Values.worker.settings.TEMPORAL_TLS_SERVER_NAME | default .Values.settings.TEMPORAL_TLS_SERVER_NAME }}
{{- end }}

{{- define "hapax.secretVariable" -}}
{{- $from := get .root.Values.secrets.from .name | default (dict "name" .root.Values.secrets.name "key" .name) -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef: { name: {{ $from.name }}, key: {{ $from.key }}, optional: {{ not (has .name (list "DATABASE_URL" "API_KEYS")) }} }
{{- end }}

{{/* The environment of api, worker or bridge. .settings: those of its own, a list in which later ones win. */}}
{{- define "hapax.environment" -}}
{{- $root := .root -}}
{{- range splitList " " (include "hapax.secretSettings" .component) }}
{{ include "hapax.secretVariable" (dict "root" $root "name" .) }}
{{- end }}
{{ include "hapax.temporalEnvironment" $root }}
- { name: HOST, value: 0.0.0.0 }
- { name: HAPAX_HOME, value: /var/lib/hapax }
{{- /* Not `merge`, which takes false and 0 for unset. */}}
{{- $settings := dict }}
{{- range $layer := concat (list $root.Values.settings) .settings }}
{{- range $name, $value := $layer }}{{ $_ := set $settings $name $value }}{{ end }}
{{- end }}
{{- range $name, $value := $settings }}
{{- if not (or (kindIs "invalid" $value) (regexMatch (include "hapax.foreignSettings" $.component) $name)) }}
- { name: {{ $name }}, value: {{ include "hapax.text" $value | quote }} }
{{- end }}
{{- end }}
{{- range $name, $value := $root.Values.environment }}
- { name: {{ $name }}, value: {{ include "hapax.text" $value | quote }} }
{{- end }}
{{- end }}

{{- define "hapax.flowerPort" -}}
{{- with .Values.api.settings.FLOWER_PORT | default .Values.settings.FLOWER_PORT }}{{ int . }}{{ end }}
{{- end }}

{{- define "hapax.image" -}}
{{- with .Values.image -}}
image: {{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
imagePullPolicy: {{ .pullPolicy }}
{{- end }}
{{- end }}

{{- define "hapax.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/*
The API has begun once it can accept triggers; a rollout waits for that. After that, it takes requests as long as it is alive: if Temporal is
away, all pods would leave the service at once, and with them what still works: all reads, and direct dispatches.
*/}}
{{- define "hapax.apiProbes" -}}
startupProbe:
  httpGet: { path: /health/ready, port: {{ . }} }
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 300
livenessProbe:
  httpGet: { path: /health/live, port: {{ . }} }
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: { path: /health/live, port: {{ . }} }
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}

{{/* The process is alive, and takes work: it reached Temporal and what else it needs. A rollout waits for that. */}}
{{- define "hapax.probes" -}}
startupProbe:
  httpGet: { path: /health/live, port: {{ . }} }
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /health/live, port: {{ . }} }
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: { path: /health/ready, port: {{ . }} }
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}

{{- define "hapax.mounts" -}}
volumeMounts:
  - { name: tmp, mountPath: /tmp }
  {{- if .Values.temporal.tlsSecret }}
  - { name: temporal, mountPath: /etc/hapax/temporal, readOnly: true }
  {{- end }}
  {{- if .Values.files }}
  - { name: files, mountPath: /etc/hapax/files, readOnly: true }
  {{- end }}
{{- end }}

{{- define "hapax.volumes" -}}
volumes:
  - name: tmp
    emptyDir: { sizeLimit: 256Mi }
  {{- with .Values.temporal.tlsSecret }}
  - name: temporal
    secret: { secretName: {{ . }} }
  {{- end }}
  {{- with .Values.files }}
  - name: files
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* What workers mount besides: documents and tasks of the user's own. */}}
{{- define "hapax.workerMounts" -}}
{{- if .Values.home }}
  - { name: home, mountPath: /var/lib/hapax }
{{- end }}
{{- if .Values.tasks }}
  - { name: tasks, mountPath: /etc/hapax/tasks, readOnly: true }
{{- end }}
{{- end }}

{{- define "hapax.workerVolumes" -}}
{{- with .Values.home }}
  - name: home
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- with .Values.tasks }}
  - name: tasks
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{- define "hapax.podMetadata" -}}
metadata:
  labels:
    {{- include "hapax.labels" . | nindent 4 }}
    {{- with .root.Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .root.Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "hapax.pod" -}}
{{- $values := .root.Values -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - { name: {{ . }} }
  {{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ $values.spread }}
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "hapax.labels" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{- define "hapax.apiContainer" -}}
- name: api
  {{- include "hapax.image" .root | nindent 2 }}
  args: [serve, api]
  env:
    {{- include "hapax.environment" (dict "root" .root "component" "api" "settings" (list .root.Values.api.settings)) | trim | nindent 4 }}
    - { name: PORT, value: '8000' }
  ports:
    - { name: http, containerPort: 8000 }
    {{- with include "hapax.flowerPort" .root }}
    - { name: flower, containerPort: {{ . }} }
    {{- end }}
  {{- include "hapax.apiProbes" "http" | nindent 2 }}
  lifecycle:
    preStop:
      # Until the endpoints leave this pod out.
      sleep: { seconds: 5 }
  resources:
    {{- toYaml .root.Values.api.resources | nindent 4 }}
  {{- include "hapax.containerSecurity" . | nindent 2 }}
  {{- include "hapax.mounts" .root | nindent 2 }}
{{- end }}

{{/* .queues: WORKER_QUEUES; undefined: all. */}}
{{- define "hapax.workerContainer" -}}
- name: worker
  {{- include "hapax.image" .root | nindent 2 }}
  args: [serve, worker]
  env:
    {{- $settings := list .root.Values.worker.settings (.settings | default dict) }}
    {{- include "hapax.environment" (dict "root" .root "component" "worker" "settings" $settings) | trim | nindent 4 }}
    - { name: METRICS_PORT, value: '9464' }
    {{- with .queues }}
    - { name: WORKER_QUEUES, value: {{ . | quote }} }
    {{- end }}
    {{- if .root.Values.tasks }}
    - { name: HAPAX_TASKS, value: /etc/hapax/tasks }
    {{- end }}
  ports:
    - { name: metrics, containerPort: 9464 }
  {{- include "hapax.probes" "metrics" | nindent 2 }}
  resources:
    {{- toYaml (.resources | default .root.Values.worker.resources) | nindent 4 }}
  {{- include "hapax.containerSecurity" . | nindent 2 }}
  {{- include "hapax.mounts" .root | nindent 2 }}
  {{- include "hapax.workerMounts" .root | nindent 2 }}
{{- end }}

{{/* .port: its own, since it may be in the pod of a worker. */}}
{{- define "hapax.bridgeContainer" -}}
- name: bridge
  {{- include "hapax.image" .root | nindent 2 }}
  args: [serve, bridge]
  env:
    {{- include "hapax.environment" (dict "root" .root "component" "bridge" "settings" (list .root.Values.bridge.settings)) | trim | nindent 4 }}
    - { name: METRICS_PORT, value: '9465' }
  ports:
    - { name: bridge-metrics, containerPort: 9465 }
  {{- include "hapax.probes" "bridge-metrics" | nindent 2 }}
  resources:
    {{- toYaml .root.Values.bridge.resources | nindent 4 }}
  {{- include "hapax.containerSecurity" . | nindent 2 }}
  {{- include "hapax.mounts" .root | nindent 2 }}
{{- end }}

{{/* The queues of a worker that have a name, without concurrency and rate. */}}
{{- define "hapax.queues" -}}
{{- $names := list -}}
{{- range splitList "," (.queues | default "") }}
{{- $name := trim . | regexFind "^[A-Za-z0-9_.-]+" -}}
{{- if $name }}{{ $names = append $names $name }}{{ end }}
{{- end }}
{{- join "," $names }}
{{- end }}

{{/* A worker that stops hands over what runs; so there is no hurry to have fewer. */}}
{{- define "hapax.scaleDown" -}}
scaleDown:
  stabilizationWindowSeconds: 300
  policies: [{ type: Percent, value: 50, periodSeconds: 60 }]
{{- end }}

{{/* Refuses values with which neither a Deployment nor an autoscaler would say how many replicas run. */}}
{{- define "hapax.requireRange" -}}
{{- if gt (int .its.minReplicas) (int .its.maxReplicas) -}}
{{- fail (printf "%s: minReplicas (%d) is more than maxReplicas (%d)" .name (int .its.minReplicas) (int .its.maxReplicas)) -}}
{{- end -}}
{{- end -}}
