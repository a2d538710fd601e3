{{/* What objects are called, and by which labels they are found. */}}

{{- define "io.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "io.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "io.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "io.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Of cluster-scoped objects: two releases of one name in two namespaces do not meet. */}}
{{- define "io.clusterName" -}}
{{- if eq .Release.Namespace (include "io.fullname" .) -}}
{{- include "io.fullname" . -}}
{{- else -}}
{{- printf "%s-%s" .Release.Namespace (include "io.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "io.serviceAccount" -}}
{{- if .Values.serviceAccount.name -}}
{{- .Values.serviceAccount.name -}}
{{- else if .Values.serviceAccount.create -}}
{{- include "io.fullname" . -}}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{- define "io.selector" -}}
app.kubernetes.io/name: {{ include "io.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{/* Labels of an object. The component's own come from its selector. */}}
{{- define "io.labels" -}}
app.kubernetes.io/name: {{ include "io.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: {{ .Chart.Name }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* `labels` and `annotations` of an object. Takes (dict "root" $ "labels" (dict …) "annotations" (dict …)). */}}
{{- define "io.metadata" -}}
labels:
  {{- include "io.labels" .root | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $annotations := merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
