{{- define "glasnost.name" -}}
{{- .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "glasnost.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "glasnost.selector" -}}
app.kubernetes.io/name: {{ include "glasnost.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "glasnost.labels" -}}
{{ include "glasnost.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* Image of a component; an engine may have its own. */}}
{{- define "glasnost.image" -}}
{{- $image := merge (default dict .image) .root.Values.image -}}
{{ $image.repository }}:{{ default .root.Chart.AppVersion $image.tag }}
{{- end -}}

{{- define "glasnost.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "glasnost.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* The gateway's configuration: what the values say, and an upstream for every engine. */}}
{{- define "glasnost.config" -}}
{{- $root := . -}}
{{- $upstreams := dict -}}
{{- range $name, $engine := .Values.engines -}}
{{- $upstream := dict "kind" "http" "base_url" (printf "http://%s-engine-%s:9000/v1" (include "glasnost.fullname" $root) $name) "model" $name -}}
{{- if $root.Values.engineKeySecret -}}
{{- $_ := set $upstream "api_key_env" "GLASNOST_ENGINE_KEY" -}}
{{- end -}}
{{- $_ := set $upstreams $name $upstream -}}
{{- end -}}
{{- mergeOverwrite (dict "upstreams" $upstreams) (deepCopy .Values.config) | toYaml -}}
{{- end -}}
