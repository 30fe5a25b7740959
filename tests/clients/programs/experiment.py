"""A run of an experiment of SDK v2 or v3, begun and taken up again."""

import json

import boto3

try:
    from sagemaker.core.experiments.run import Run, load_run
    from sagemaker.core.helper.session_helper import Session
except ImportError:  # SDK v2
    from sagemaker.experiments.run import Run, load_run
    from sagemaker.session import Session


def main():
    session = Session()
    with Run(experiment_name="late", run_name="one", sagemaker_session=session) as run:
        run.log_parameters({"depth": 5, "kind": "tree"})
        for step, loss in enumerate((0.9, 0.5)):
            run.log_metric("loss", loss, step=step)
    with load_run(experiment_name="late", run_name="one", sagemaker_session=session) as again:
        again.log_parameter("more", 1.5)
    client = boto3.client("sagemaker")
    (component,) = client.list_trial_components(ExperimentName="late")["TrialComponentSummaries"]
    found = client.describe_trial_component(TrialComponentName=component["TrialComponentName"])
    curve = {
        "MetricName": "loss",
        "ResourceArn": found["TrialComponentArn"],
        "MetricStat": "Last",
        "Period": "IterationNumber",
        "XAxisType": "IterationNumber",
    }
    (result,) = boto3.client("sagemaker-metrics").batch_get_metrics(MetricQueries=[curve])["MetricQueryResults"]
    print(
        json.dumps(
            {
                "parameters": found["Parameters"],
                "status": found["Status"]["PrimaryStatus"],
                "metrics": {metric["MetricName"]: metric["Last"] for metric in found["Metrics"]},
                "curve": result["MetricValues"],
            }
        )
    )


if __name__ == "__main__":
    main()
