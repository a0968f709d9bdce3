{{- /* A NATS server with a disk of its own, and what finds it: the broker and the hub are alike in this. */ -}}
{{- define "commonweal.natsService" -}}
{{- $server := get .root.Values .component -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "commonweal.name" .root }}-{{ .component }}
  labels: {{- include "commonweal.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .type }}
  selector: {{- include "commonweal.selector" . | nindent 4 }}
  ports:
    - name: nats
      port: {{ .port }}
      targetPort: nats
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "commonweal.name" .root }}-{{ .component }}
  labels: {{- include "commonweal.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "commonweal.selector" . | nindent 6 }}
{{- end -}}

{{- define "commonweal.natsContainer" -}}
{{- $server := get .root.Values .component -}}
image: {{ printf "%s:%s" $server.image.repository $server.image.tag }}
imagePullPolicy: {{ $server.image.pullPolicy }}
ports:
  - name: nats
    containerPort: {{ .port }}
startupProbe:
  tcpSocket: {port: nats}
  periodSeconds: 2
  failureThreshold: 60
readinessProbe:
  tcpSocket: {port: nats}
  periodSeconds: 5
livenessProbe:
  tcpSocket: {port: nats}
  periodSeconds: 15
  failureThreshold: 4
resources: {{- toYaml $server.resources | nindent 2 }}
securityContext: {{- include "commonweal.security" .root | nindent 2 }}
{{- end -}}

{{- define "commonweal.natsStorage" -}}
{{- $server := get .root.Values .component -}}
volumeClaimTemplates:
  - apiVersion: v1
    kind: PersistentVolumeClaim
    metadata:
      name: store
    spec:
      accessModes: [ReadWriteOnce]
      {{- with $server.storage.className }}
      storageClassName: {{ . }}
      {{- end }}
      resources:
        requests:
          storage: {{ $server.storage.size }}
{{- end -}}
