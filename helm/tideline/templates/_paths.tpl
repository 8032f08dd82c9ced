{{/* The paths that go to the predictor; all others go to the trainer. */}}
{{- define "tideline.predictorPaths" -}}
[/serve_prediction, /models, /v1, /v2]
{{- end }}

{{- define "tideline.defaultService" -}}
{{ include "tideline.fullname" . }}-{{ .Values.trainer.enabled | ternary "trainer" "predictor" }}
{{- end }}
