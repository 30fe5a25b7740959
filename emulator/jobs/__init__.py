"""Jobs: inputs are staged, a container runs over ``/opt/ml``, outputs are uploaded; whatever the kind of job."""
