{{/* What every Pod of the chart has in common: its image and the standard `restricted`. */}}

{{- define "io.image" -}}
{{- $image := .Values.image -}}
{{- $tag := tpl (default "" $image.tag | toString) . -}}
{{- if not (or $tag $image.digest) -}}
{{- fail "image.tag and image.digest are both empty: set image.tag (the default follows the chart) or image.digest (sha256:…)" -}}
{{- end -}}
{{- $registry := default $image.registry .Values.global.imageRegistry -}}
{{- $name := ternary (printf "%s/%s" $registry $image.repository) $image.repository (ne $registry "") -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name $tag -}}
{{- end -}}
{{- end -}}

{{- define "io.pullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Values may add to these, and cannot take them away. */}}
{{- define "io.podSecurity" -}}
{{- $always := dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- toYaml (mergeOverwrite (deepCopy .Values.podSecurityContext) $always) -}}
{{- end -}}

{{- define "io.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
{{- end -}}

{{/* Where Pods may be. Used by the Deployment and by the hooks. */}}
{{- define "io.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- if not .Values.hostUsers }}
hostUsers: false
{{- end }}
{{- end -}}

{{/* A Pod of a hook. Takes (dict "root" $ "serviceAccount" … "args" (list …)). */}}
{{- define "io.hookPod" -}}
restartPolicy: Never
serviceAccountName: {{ .serviceAccount }}
enableServiceLinks: false
securityContext:
  {{- include "io.podSecurity" .root | nindent 2 }}
{{- include "io.pullSecrets" .root }}
{{- include "io.placement" .root | nindent 0 }}
containers:
  - name: check
    image: {{ include "io.image" .root }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args:
      {{- toYaml .args | nindent 6 }}
    env:
      - name: POD_NAMESPACE
        valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
    resources:
      requests: {cpu: 10m, memory: 32Mi}
      limits: {memory: 96Mi}
    securityContext:
      {{- include "io.containerSecurity" .root | nindent 6 }}
{{- end -}}
