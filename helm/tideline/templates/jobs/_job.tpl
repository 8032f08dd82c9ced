{{/* The Job that the trainer fills in: name, labels, annotations, arguments, deadline, and the job's own environment. */}}
{{- define "tideline.job" -}}
{{- with .Values.jobs -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: training
  labels:
    {{- include "tideline.podLabels" (list $ "training" dict) | nindent 4 }}
    {{- with .queue }}
    kueue.x-k8s.io/queue-name: {{ . }}
    {{- end }}
spec:
  {{- if .queue }}
  suspend: true
  {{- end }}
  backoffLimit: {{ .backoffLimit }}
  podReplacementPolicy: Failed
  ttlSecondsAfterFinished: {{ .ttlSecondsAfterFinished }}
  # Bad input fails at once; an eviction costs no retry.
  podFailurePolicy:
    rules:
      - action: FailJob
        onExitCodes: {containerName: training, operator: In, values: [64, 65, 66]}
      - action: Ignore
        onPodConditions:
          - {type: DisruptionTarget, status: "True"}
  template:
    metadata:
      labels:
        {{- include "tideline.podLabels" (list $ "training" .podLabels) | nindent 8 }}
      {{- with .podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      restartPolicy: Never
      serviceAccountName: {{ include "tideline.fullname" $ }}-training
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ .terminationGracePeriodSeconds }}
      securityContext:
        {{- toYaml $.Values.podSecurityContext | nindent 8 }}
      {{- with include "tideline.placement" (list $ .) | trim }}{{ . | nindent 6 }}{{ end }}
      containers:
        - name: training
          image: {{ include "tideline.image" $ }}
          imagePullPolicy: {{ $.Values.image.pullPolicy }}
          command: [tini, --, python, -m, training]
          terminationMessagePath: /dev/termination-log
          terminationMessagePolicy: FallbackToLogsOnError
          env:
            {{- include "tideline.environment" $ | nindent 12 }}
            {{- range list "OMP_NUM_THREADS" "OPENBLAS_NUM_THREADS" "MKL_NUM_THREADS" "LOKY_MAX_CPU_COUNT" "NUMBA_NUM_THREADS" }}
            - name: {{ . }}
              valueFrom:
                resourceFieldRef: {containerName: training, resource: requests.cpu, divisor: "1"}
            {{- end }}
            {{- with .extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          {{- with include "tideline.environmentFrom" $ | trim }}{{ . | nindent 10 }}{{ end }}
          resources:
            {{- toYaml .resources | nindent 12 }}
          securityContext:
            {{- toYaml $.Values.securityContext | nindent 12 }}
          volumeMounts:
            {{- include "tideline.mounts" (list $ false) | nindent 12 }}
      volumes:
        {{- $claim := "" }}
        {{- if not $.Values.store.url }}{{ $claim = include "tideline.jobClaim" $ }}{{ end }}
        {{- include "tideline.volumes" (list $ .scratchSize $claim) | nindent 8 }}
{{- end }}
{{- end }}
