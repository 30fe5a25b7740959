"""Families of resources that the emulator does not have: listing one answers that there are none, which is true.

Making one is refused by name (NotImplemented), so the lists stay empty. Public programs begin and end with such lists:
what is deployed already, what is to be cleaned up. A family that comes is taken from the table; a test says so.
"""

from __future__ import annotations

from emulator.aws.operations import Handler, Request, Response, operation
from emulator.services.context import Context

FAMILIES = {
    "ListAlgorithms": ("AlgorithmSummaryList", "CreateAlgorithm"),
    "ListAppImageConfigs": ("AppImageConfigs", "CreateAppImageConfig"),
    "ListApps": ("Apps", "CreateApp"),
    "ListClusters": ("ClusterSummaries", "CreateCluster"),
    "ListCodeRepositories": ("CodeRepositorySummaryList", "CreateCodeRepository"),
    "ListCompilationJobs": ("CompilationJobSummaries", "CreateCompilationJob"),
    "ListDataQualityJobDefinitions": ("JobDefinitionSummaries", "CreateDataQualityJobDefinition"),
    "ListDeviceFleets": ("DeviceFleetSummaries", "CreateDeviceFleet"),
    "ListDomains": ("Domains", "CreateDomain"),
    "ListEndpointConfigs": ("EndpointConfigs", "CreateEndpointConfig"),
    "ListEndpoints": ("Endpoints", "CreateEndpoint"),
    "ListFeatureGroups": ("FeatureGroupSummaries", "CreateFeatureGroup"),
    "ListFlowDefinitions": ("FlowDefinitionSummaries", "CreateFlowDefinition"),
    "ListHumanTaskUis": ("HumanTaskUiSummaries", "CreateHumanTaskUi"),
    "ListImages": ("Images", "CreateImage"),
    "ListInferenceComponents": ("InferenceComponents", "CreateInferenceComponent"),
    "ListInferenceExperiments": ("InferenceExperiments", "CreateInferenceExperiment"),
    "ListInferenceRecommendationsJobs": ("InferenceRecommendationsJobs", "CreateInferenceRecommendationsJob"),
    "ListLabelingJobs": ("LabelingJobSummaryList", "CreateLabelingJob"),
    "ListMlflowTrackingServers": ("TrackingServerSummaries", "CreateMlflowTrackingServer"),
    "ListModelBiasJobDefinitions": ("JobDefinitionSummaries", "CreateModelBiasJobDefinition"),
    "ListModelCards": ("ModelCardSummaries", "CreateModelCard"),
    "ListModelExplainabilityJobDefinitions": ("JobDefinitionSummaries", "CreateModelExplainabilityJobDefinition"),
    "ListModelQualityJobDefinitions": ("JobDefinitionSummaries", "CreateModelQualityJobDefinition"),
    "ListMonitoringExecutions": ("MonitoringExecutionSummaries", "CreateMonitoringSchedule"),
    "ListMonitoringSchedules": ("MonitoringScheduleSummaries", "CreateMonitoringSchedule"),
    "ListNotebookInstanceLifecycleConfigs": (
        "NotebookInstanceLifecycleConfigs",
        "CreateNotebookInstanceLifecycleConfig",
    ),
    "ListNotebookInstances": ("NotebookInstances", "CreateNotebookInstance"),
    "ListOptimizationJobs": ("OptimizationJobSummaries", "CreateOptimizationJob"),
    "ListProjects": ("ProjectSummaryList", "CreateProject"),
    "ListSpaces": ("Spaces", "CreateSpace"),
    "ListStudioLifecycleConfigs": ("StudioLifecycleConfigs", "CreateStudioLifecycleConfig"),
    "ListUserProfiles": ("UserProfiles", "CreateUserProfile"),
    "ListWorkforces": ("Workforces", "CreateWorkforce"),
    "ListWorkteams": ("Workteams", "CreateWorkteam"),
}
"""Of each List operation: the member of its answer, and what would make the first resource."""


def _none(member: str) -> Handler:
    def answer(request: Request, context: Context) -> Response:
        return {member: []}

    return answer


for _operation, (_member, _) in FAMILIES.items():
    operation("sagemaker", _operation)(_none(_member))
