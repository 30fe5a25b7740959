"""The pipeline view: a client of the AWS API like any other."""
