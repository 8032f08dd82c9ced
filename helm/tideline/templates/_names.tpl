{{- define "tideline.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* At most 40 characters, so that every name made from it stays within 63. */}}
{{- define "tideline.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "tideline.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "tideline.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "tideline.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{/* What selects the release's pods, of one component or of all: (list $ "predictor") or (list $ ""). */}}
{{- define "tideline.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "tideline.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- with index . 1 }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* The labels of a pod: (list $ "predictor" .Values.predictor.podLabels). */}}
{{- define "tideline.podLabels" -}}
{{- $root := index . 0 -}}
{{ include "tideline.selector" . }}
app.kubernetes.io/part-of: tideline
app.kubernetes.io/version: {{ default $root.Chart.AppVersion $root.Values.image.tag | trunc 63 | quote }}
{{- with mergeOverwrite (dict) (deepCopy $root.Values.commonLabels) (deepCopy (index . 2)) }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The labels of an object: (list $ "predictor"). */}}
{{- define "tideline.labels" -}}
{{- $root := index . 0 -}}
{{ include "tideline.podLabels" (list $root (index . 1) dict) }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 }}
{{- end }}

{{- define "tideline.secret" -}}
{{- default (include "tideline.fullname" .) .Values.auth.existingSecret -}}
{{- end }}

{{- define "tideline.claim" -}}
{{- default (printf "%s-store" (include "tideline.fullname" .)) .Values.store.volume.existingClaim -}}
{{- end }}

{{- define "tideline.jobNamespace" -}}
{{- default .Release.Namespace .Values.jobs.namespace -}}
{{- end }}

{{- define "tideline.jobsAreElsewhere" -}}
{{- if ne (include "tideline.jobNamespace" .) .Release.Namespace }}true{{ end -}}
{{- end }}

{{/* The claim that a Job mounts: claims do not cross namespaces. */}}
{{- define "tideline.jobClaim" -}}
{{- if include "tideline.jobsAreElsewhere" . -}}
{{- required (printf "jobs.namespace is %q and the release's is %q: a claim does not cross namespaces. Set store.volume.jobClaim to a claim there for the same files, or store.url to an object store." .Values.jobs.namespace .Release.Namespace) .Values.store.volume.jobClaim -}}
{{- else -}}
{{- default (include "tideline.claim" .) .Values.store.volume.jobClaim -}}
{{- end -}}
{{- end }}
