"""Amazon ECR: repositories, layers, images, and the Docker Registry HTTP API that docker and podman push by."""
