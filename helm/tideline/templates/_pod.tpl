{{/* What the pods of all components share. */}}

{{- define "tideline.environment" -}}
- {name: HOME, value: /var/lib/tideline}
- {name: TIDELINE_HOME, value: /var/lib/tideline}
- {name: BENTOML_HOME, value: /var/lib/tideline/bentoml}
- {name: BENTOML_DO_NOT_TRACK, value: "True"}
- {name: TIDELINE_STORE, value: {{ default "file:///store" .Values.store.url | quote }}}
{{- range $name, $value := .Values.store.env }}
- {name: {{ $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- end }}

{{- define "tideline.token" -}}
- name: TIDELINE_TOKEN
  valueFrom:
    secretKeyRef: {name: {{ include "tideline.secret" . }}, key: token}
{{- end }}

{{- define "tideline.environmentFrom" -}}
{{- with .Values.store.existingSecret }}
envFrom:
  - secretRef: {name: {{ . }}}
{{- end }}
{{- end }}

{{/* (list $ true): whether the store is mounted to be read only. */}}
{{- define "tideline.mounts" -}}
- {name: home, mountPath: /var/lib/tideline}
- {name: tmp, mountPath: /tmp}
{{- if not (index . 0).Values.store.url }}
- {name: store, mountPath: /store{{ if index . 1 }}, readOnly: true{{ end }}}
{{- end }}
{{- end }}

{{/* (list $ "a size" "a claim") */}}
{{- define "tideline.volumes" -}}
- name: home
  emptyDir: {sizeLimit: {{ index . 1 }}}
- name: tmp
  emptyDir: {sizeLimit: {{ index . 1 }}}
{{- if not (index . 0).Values.store.url }}
- name: store
  persistentVolumeClaim: {claimName: {{ index . 2 }}}
{{- end }}
{{- end }}

{{- define "tideline.probes" -}}
startupProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 150
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
lifecycle:
  preStop:
    sleep: {seconds: {{ .preStopSeconds }}}
{{- end }}

{{/* Where the pods of a component run: (list $ .Values.predictor "predictor"). */}}
{{- define "tideline.placement" -}}
{{- $root := index . 0 }}
{{- with (index . 1) }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "tideline.spread" -}}
{{- with (index . 1).topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- else }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "tideline.selector" (list (index . 0) (index . 2)) | nindent 8 }}
{{- end }}
{{- end }}
