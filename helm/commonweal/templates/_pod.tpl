{{- /* What a process of the node finds in its pod: its settings, its keys, and nothing else. */ -}}

{{- define "commonweal.env" -}}
- name: COMMONWEAL_CONFIG
  value: /etc/commonweal/commonweal.toml
{{- if .Values.broker.enabled }}
- name: BROKER_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "commonweal.connections" . }}
      key: broker-password
- name: COMMONWEAL_BROKER__URL
  value: nats://commonweal:$(BROKER_PASSWORD)@{{ include "commonweal.name" . }}-broker:4222
{{- end }}
{{- end -}}

{{- define "commonweal.mounts" -}}
- name: config
  mountPath: /etc/commonweal
  readOnly: true
- name: connections
  mountPath: /run/secrets/commonweal
  readOnly: true
- name: data
  mountPath: /var/lib/commonweal
{{- range $file := list "node.key" "appointment" "issuer.key" "pseudonyms" }}
- name: keys
  mountPath: /var/lib/commonweal/{{ $file }}
  subPath: {{ $file }}
  readOnly: true
{{- end }}
{{- if .Values.listen.tlsSecret }}
- name: tls
  mountPath: /run/secrets/tls
  readOnly: true
{{- end }}
{{- end -}}

{{- define "commonweal.volumes" -}}
- name: config
  configMap:
    name: {{ include "commonweal.name" . }}
- name: connections
  secret:
    secretName: {{ include "commonweal.connections" . }}
    defaultMode: 288 # 0440
- name: keys
  secret:
    secretName: {{ include "commonweal.keys" . }}
    defaultMode: 288 # 0440
- name: data
  emptyDir:
    sizeLimit: 16Mi
{{- if .Values.listen.tlsSecret }}
- name: tls
  secret:
    secretName: {{ .Values.listen.tlsSecret }}
    defaultMode: 288 # 0440
{{- end }}
{{- end -}}

{{- /* The hub's keys and certificate, for the hub and for federation, which tells it what to believe. */ -}}
{{- define "commonweal.hubMounts" -}}
- name: keys
  mountPath: /var/lib/commonweal/hub/keys.json
  subPath: hub-keys.json
  readOnly: true
- name: hub-tls
  mountPath: /run/secrets/hub-tls
  readOnly: true
{{- end -}}

{{- define "commonweal.hubVolumes" -}}
- name: hub-tls
  secret:
    secretName: {{ include "commonweal.hubTls" . }}
    defaultMode: 288 # 0440
{{- end -}}
