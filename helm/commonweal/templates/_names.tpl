{{- /* What every template says in the same way: names, labels, security, images. */ -}}

{{- define "commonweal.name" -}}
{{- if contains "commonweal" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-commonweal" (.Release.Name | trunc 28 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "commonweal.selector" -}}
app.kubernetes.io/name: commonweal
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "commonweal.labels" -}}
{{ include "commonweal.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "commonweal.image" -}}
{{- $repository := required "image.repository must be given: build the image with deploy/image and push it where your cluster can pull" .Values.image.repository -}}
{{- printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{- define "commonweal.connections" -}}
{{- required "secrets.connections must be given: the Secret with database-url (helm/README.md)" .Values.secrets.connections -}}
{{- end -}}

{{- define "commonweal.keys" -}}
{{- required "secrets.keys must be given: the Secret with the node's keys (helm/README.md)" .Values.secrets.keys -}}
{{- end -}}

{{- define "commonweal.hubTls" -}}
{{- required "hub.tlsSecret must be given with hub.enabled: tls.crt, tls.key and ca.crt (helm/README.md)" .Values.hub.tlsSecret -}}
{{- end -}}

{{- define "commonweal.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "commonweal.security" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- /* A health check: by gRPC, which the cluster speaks on plain ports only; else by the port, which a service takes when
it is ready. */ -}}
{{- define "commonweal.probe" -}}
{{- if .Values.listen.tlsSecret -}}
tcpSocket:
  port: grpc
{{- else -}}
grpc:
  port: {{ .Values.listen.port }}
{{- end -}}
{{- end -}}
