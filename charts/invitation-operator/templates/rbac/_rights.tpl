{{/* Exactly what the operator does, measured by the API server's audit log. */}}

{{/* On users' objects, in each namespace that is served, or everywhere. */}}
{{- define "io.servedRules" -}}
- apiGroups: [invitation-operator.io]
  resources: [projectinvitations]
  verbs: [get, list, watch, patch]
- apiGroups: [invitation-operator.io]
  resources: [projectinvitations/status]
  verbs: [patch]
- apiGroups: [invitation-operator.io]
  resources: [inviters]
  verbs: [list, watch]
- apiGroups: [invitation-operator.io]
  resources: [inviters/status]
  verbs: [patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* A namespace that is being deleted loses its roles before its invitations, which then could not be let go. */}}
{{- define "io.finishingRules" -}}
- apiGroups: [invitation-operator.io]
  resources: [projectinvitations]
  verbs: [get, patch]
- apiGroups: [invitation-operator.io]
  resources: [projectinvitations/status]
  verbs: [patch]
{{- end -}}

{{/* By name only. */}}
{{- define "io.credentialRules" -}}
- apiGroups: [""]
  resources: [secrets, configmaps]
  verbs: [get]
{{- end -}}

{{/* A role and its binding to the operator. Takes (dict "root" $ "kind" "Role"|"ClusterRole" "name" … "namespace" … "rules" …). */}}
{{- define "io.grant" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  {{- include "io.metadata" (dict "root" .root) | nindent 2 }}
rules:
  {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  {{- include "io.metadata" (dict "root" .root) | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "io.serviceAccount" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end -}}

{{/* Whether objects can be made in a namespace: true where the cluster cannot be asked. */}}
{{- define "io.namespaceExists" -}}
{{- $asked := lookup "v1" "Namespace" "" "kube-system" -}}
{{- if or (not $asked) (lookup "v1" "Namespace" "" .) -}}true{{- end -}}
{{- end -}}

{{/* The ledger and the Lease, in the release's own namespace. */}}
{{- define "io.ownRules" -}}
- apiGroups: [invitation-operator.io]
  resources: [invitationclaims]
  verbs: [get, list, watch, create, update, delete]
{{- if .Values.leaderElection.enabled }}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ .Values.leaderElection.leaseName }}]
  verbs: [get, list, watch, update]
{{- end }}
{{- end -}}

{{/* Everything beside them, where the operator serves the whole cluster. */}}
{{- define "io.clusterRules" -}}
{{ include "io.servedRules" . }}
- apiGroups: [invitation-operator.io]
  resources: [clusterinviters]
  verbs: [list, watch]
- apiGroups: [invitation-operator.io]
  resources: [clusterinviters/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [namespaces]
  verbs: [list, watch]
{{- end -}}

{{/* Who serves what, told by the Leases of one name: a list may be granted by name. */}}
{{- define "io.otherInstancesRules" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ .Values.leaderElection.leaseName }}]
  verbs: [list]
{{- end -}}
