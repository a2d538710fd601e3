{{/* What no schema can see: values that do not fit together, or not to the cluster. Each message names the way out. */}}

{{- define "io.refuse" -}}
{{- $v := .Values -}}
{{- if and $v.watchNamespaces $v.clusterInviter.create -}}
{{- fail "clusterInviter.create needs an operator for the whole cluster: leave watchNamespaces empty, or set clusterInviter.create=false and make an Inviter in each namespace" -}}
{{- end -}}
{{- if and (gt (int $v.replicas) 1) (not $v.leaderElection.enabled) -}}
{{- fail (printf "replicas=%d with leaderElection.enabled=false: each replica would send invitations. Set replicas=1 or leaderElection.enabled=true" (int $v.replicas)) -}}
{{- end -}}
{{- if and $v.customCA.configMap $v.customCA.secret -}}
{{- fail "customCA.configMap and customCA.secret are both set: leave one of them empty" -}}
{{- end -}}
{{- if and $v.serviceMonitor.enabled $v.podMonitor.enabled -}}
{{- fail "serviceMonitor.enabled and podMonitor.enabled are both true, and every sample would be read twice: set one of them to false" -}}
{{- end -}}
{{- if and $v.watchNamespaces $v.rbac.secrets.clusterWide -}}
{{- fail "rbac.secrets.clusterWide=true with watchNamespaces: no right may reach beyond them. Set one of the two only" -}}
{{- end -}}
{{- if and $v.watchNamespaces $v.rbac.secrets.namespaces -}}
{{- fail "rbac.secrets.namespaces with watchNamespaces: Secrets of watched namespaces may be read anyway, others never. Leave rbac.secrets.namespaces empty" -}}
{{- end -}}
{{- if eq (int $v.probePort) (int $v.metricsPort) -}}
{{- fail (printf "probePort and metricsPort are both %d: the network policy opens only that of the metrics, so set another one" (int $v.probePort)) -}}
{{- end -}}
{{- with $v.clusterInviter -}}
{{- if .create -}}
{{- if not .secretName -}}
{{- fail "clusterInviter.create=true needs clusterInviter.secretName, the Secret with the credentials in the release's namespace" -}}
{{- end -}}
{{- if and (eq .product "OpsManager") (not .baseUrl) -}}
{{- fail "clusterInviter.product=OpsManager needs clusterInviter.baseUrl, such as https://opsmanager.example.com:8443" -}}
{{- end -}}
{{- if not (and .allow.projects .allow.roles) -}}
{{- fail "clusterInviter.create=true needs clusterInviter.allow.projects and clusterInviter.allow.roles: name what it may give, or [\"*\"] for all" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "io.refuseLosingDefinitions" . -}}
{{- include "io.refuseSecondInNamespace" . -}}
{{- end -}}

{{/* An upgrade that takes the definitions out of the release deletes them, and with them every invitation, unless the
     ones in the cluster are marked to be kept. */}}
{{- define "io.refuseLosingDefinitions" -}}
{{- if and .Release.IsUpgrade (not .Values.crds.enabled) -}}
{{- range $plural := list "projectinvitations" "inviters" "clusterinviters" "invitationclaims" -}}
{{- $crd := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" (printf "%s.invitation-operator.io" $plural) -}}
{{- if $crd -}}
{{- $annotations := default (dict) $crd.metadata.annotations -}}
{{- $ours := and (eq (get $annotations "meta.helm.sh/release-name") $.Release.Name) (eq (get $annotations "meta.helm.sh/release-namespace") $.Release.Namespace) -}}
{{- if and $ours (ne (get $annotations "helm.sh/resource-policy") "keep") -}}
{{- fail (printf "crds.enabled=false would delete %s and every object of that kind: upgrade with crds.enabled=true and crds.keep=true first, then with crds.enabled=false" $crd.metadata.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Two releases in one namespace would share the ledger and the Lease, and be taken for replicas of each other. */}}
{{- define "io.refuseSecondInNamespace" -}}
{{- $found := lookup "apps/v1" "Deployment" .Release.Namespace "" -}}
{{- range $deployment := default (list) $found.items -}}
{{- $labels := default (dict) $deployment.metadata.labels -}}
{{- $operator := and (eq (get $labels "app.kubernetes.io/part-of") $.Chart.Name) (eq (get $labels "app.kubernetes.io/component") "operator") -}}
{{- if and $operator (ne (get $labels "app.kubernetes.io/instance") $.Release.Name) -}}
{{- fail (printf "the release %s is in the namespace %s already: upgrade it, or install this one in a namespace of its own" (get $labels "app.kubernetes.io/instance") $.Release.Namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether an object of the Prometheus operator is rendered. Takes (dict "root" $ "wish" .Values.… "kind" "…" "value" "…"). */}}
{{- define "io.monitoring" -}}
{{- $known := .root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" .kind) -}}
{{- if and .wish.enabled (not $known) (eq .wish.renderMode "failIfMissing") -}}
{{- fail (printf "the cluster does not know %s of monitoring.coreos.com/v1: install the Prometheus operator, or set %s.renderMode to skipIfMissing or alwaysRender" .kind .value) -}}
{{- end -}}
{{- if and .wish.enabled (or $known (eq .wish.renderMode "alwaysRender")) -}}true{{- end -}}
{{- end -}}
