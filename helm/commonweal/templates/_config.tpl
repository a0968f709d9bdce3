{{- /* The configuration file: what the chart knows itself, and over it what `config` says. */ -}}
{{- define "commonweal.config" -}}
{{- $name := include "commonweal.name" . -}}
{{- $scheme := ternary "https" "http" (ne .Values.listen.tlsSecret "") -}}
{{- $elsewhere := list -}}
{{- range .Values.services -}}
{{- $elsewhere = append $elsewhere (printf "%s=%s://%s-%s:%v" . $scheme $name . $.Values.listen.port) -}}
{{- end -}}
{{- $listen := dict "grpc" (printf "0.0.0.0:%v" .Values.listen.port) "drain_seconds" (int .Values.listen.drainSeconds) -}}
{{- if .Values.listen.tlsSecret -}}
{{- $_ := merge $listen (dict "certificate" "/run/secrets/tls/tls.crt" "key" "/run/secrets/tls/tls.key") -}}
{{- else -}}
{{- $_ := set $listen "insecure" true -}}
{{- end -}}
{{- $own := dict
    "node" (dict
      "name" (required "nodeName must be given: how people call this node" .Values.nodeName)
      "data_dir" "/var/lib/commonweal"
      "marker_dir" "/var/lib/commonweal-marker"
      "elsewhere" $elsewhere)
    "listen" $listen
    "database" (dict "url" (dict "file" "/run/secrets/commonweal/database-url"))
    "telemetry" (dict "log_format" "json") -}}
{{- if not .Values.broker.enabled -}}
{{- $_ := set $own "broker" (dict "url" (dict "file" "/run/secrets/commonweal/broker-url")) -}}
{{- end -}}
{{- if .Values.hub.enabled -}}
{{- $_ := set $own "hub" (dict
    "enabled" true
    "server" (printf "tls://%s-hub:%v" $name .Values.hub.service.port)
    "listen" (printf "0.0.0.0:%v" .Values.hub.service.port)
    "public_address" (required "hub.publicAddress must be given with hub.enabled: tls://host:port" .Values.hub.publicAddress)
    "certificate" "/run/secrets/hub-tls/tls.crt"
    "key" "/run/secrets/hub-tls/tls.key"
    "authority" "/run/secrets/hub-tls/ca.crt"
    "disk_bytes" (int64 .Values.hub.diskBytes)
    "mailbox_bytes" (int64 .Values.hub.mailboxBytes)) -}}
{{- end -}}
{{- mergeOverwrite $own (deepCopy .Values.config) | toToml -}}
{{- end -}}
