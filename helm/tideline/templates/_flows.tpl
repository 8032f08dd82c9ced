{{/* A peer: the pods of a component, in this namespace or in another: (list $ "trainer" "a namespace or nothing"). */}}
{{- define "tideline.peer" -}}
{{- $root := index . 0 -}}
- podSelector:
    matchLabels:
      {{- include "tideline.selector" (list $root (index . 1)) | nindent 6 }}
  {{- with index . 2 }}
  namespaceSelector:
    matchLabels: {kubernetes.io/metadata.name: {{ . }}}
  {{- end }}
{{- end }}

{{/* Who may call a service. */}}
{{- define "tideline.callers" -}}
{{- with .Values.networkPolicy.ingressFrom }}
{{- toYaml . }}
{{- end }}
{{- with .Values.networkPolicy.metricsFrom }}
{{ toYaml . }}
{{- end }}
{{- if .Values.tests.enabled }}
{{ include "tideline.peer" (list . "test" "") }}
{{- end }}
{{- end }}

{{/* The egress rule to a store that has a URL; a volume needs none. */}}
{{- define "tideline.toStore" -}}
{{- if .Values.store.url -}}
{{- with .Values.networkPolicy.store -}}
- {{ with .to }}to:
    {{- toYaml . | nindent 4 }}
  {{ end }}ports:
    {{- range .ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end -}}
{{- end -}}
{{- end }}
