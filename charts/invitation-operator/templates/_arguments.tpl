{{/* The operator's command line. A value that is empty is left to the operator's own default. */}}

{{- define "io.arguments" -}}
{{- $v := .Values -}}
- run
- --listen={{ $v.listenAddress }}:{{ $v.probePort }}
- --metrics-listen={{ $v.listenAddress }}:{{ $v.metricsPort }}
{{- with $v.watchNamespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
- --allowed-hosts={{ join "," $v.allowedHosts }}
- --max-mails-per-person={{ $v.maxMailsPerPerson }}
- --invitations-per-minute={{ $v.invitationsPerMinute }}
- --concurrency={{ $v.concurrency }}
- --leader-elect={{ $v.leaderElection.enabled }}
- --lease-name={{ $v.leaderElection.leaseName }}
{{- $times := list
  (list "lease-duration" $v.leaderElection.leaseDuration)
  (list "renew-deadline" $v.leaderElection.renewDeadline)
  (list "retry-period" $v.leaderElection.retryPeriod)
  (list "post-deadline" $v.times.postDeadline)
  (list "server-delay" $v.times.serverDelay)
  (list "list-delay" $v.times.listDelay)
  (list "absence-gap" $v.times.absenceGap)
  (list "handover-grace" $v.times.handoverGrace)
  (list "call-deadline" $v.times.callDeadline)
  (list "release-after" $v.times.releaseAfter)
  (list "release-after-terminating" $v.times.releaseAfterTerminating) }}
{{- range $times }}
{{- if index . 1 }}
- --{{ index . 0 }}={{ index . 1 }}
{{- end }}
{{- end }}
- --log-format={{ $v.logFormat }}
- {{ printf "--log-level=%s" $v.logLevel | quote }}
{{- range $v.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end -}}
