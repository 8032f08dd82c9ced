{{/* The objects that the predictor and the trainer have alike: (list $ "predictor" .Values.predictor). */}}

{{- define "tideline.service" -}}
{{- $root := index . 0 }}{{ $component := index . 1 }}{{ $values := index . 2 -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "tideline.fullname" $root }}-{{ $component }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "tideline.labels" (list $root $component) | nindent 4 }}
  {{- with $values.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ $values.service.type }}
  ports:
    - {name: http, port: {{ $values.service.port }}, targetPort: http, protocol: TCP, appProtocol: http}
  selector:
    {{- include "tideline.selector" (list $root $component) | nindent 4 }}
{{- end }}

{{- define "tideline.serviceAccount" -}}
{{- $root := index . 0 }}{{ $component := index . 1 }}{{ $values := index . 2 -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "tideline.fullname" $root }}-{{ $component }}
  namespace: {{ index . 3 }}
  labels:
    {{- include "tideline.labels" (list $root $component) | nindent 4 }}
  {{- with $values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}

{{- define "tideline.podDisruptionBudget" -}}
{{- $root := index . 0 }}{{ $component := index . 1 }}{{ $values := index . 2 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "tideline.fullname" $root }}-{{ $component }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "tideline.labels" (list $root $component) | nindent 4 }}
spec:
  maxUnavailable: {{ $values.podDisruptionBudget.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "tideline.selector" (list $root $component) | nindent 6 }}
{{- end }}
