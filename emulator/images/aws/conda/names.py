"""Conda packages that PyPI has under another name, and those that are no Python packages at all."""

from __future__ import annotations

PYPI = {
    "brotli-python": "brotli", "dask-core": "dask", "matplotlib-base": "matplotlib", "msgpack-python": "msgpack",
    "netcdf4": "netCDF4", "opencv": "opencv-python-headless", "psycopg2": "psycopg2-binary",
    "py-lightgbm": "lightgbm", "py-opencv": "opencv-python-headless", "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost-cpu", "pyarrow-core": "pyarrow", "pytables": "tables", "python-graphviz": "graphviz",
    "pytorch": "torch", "pytorch-cpu": "torch", "sagemaker-python-sdk": "sagemaker", "seaborn-base": "seaborn",
    "snappy-python": "python-snappy", "tensorflow-base": "tensorflow", "xgboost-cpu": "xgboost-cpu",
}  # fmt: skip
"""Conda's name to PyPI's, where they differ."""

PROGRAMS = {
    "bash": "bash", "cmake": "cmake", "curl": "curl", "ffmpeg": "ffmpeg", "gcc": "gcc", "git": "git",
    "git-lfs": "git-lfs", "graphviz": "dot", "gxx": "g++", "imagemagick": "convert", "make": "make", "maven": "mvn",
    "nodejs": "node", "openjdk": "java", "openssh": "ssh", "pandoc": "pandoc", "perl": "perl",
    "poppler": "pdftotext", "r-base": "R", "tesseract": "tesseract", "unzip": "unzip", "wget": "wget", "zip": "zip",
}  # fmt: skip
"""Packages whose use is a program: it must be on this machine."""

_LIBRARIES_TEXT = """
abseil-cpp aom arrow-cpp backports binutils blas bzip2 c-ares ca-certificates cairo conda cpuonly cudatoolkit cudnn
cyrus-sasl dav1d expat fontconfig freetype gettext gflags giflib glib glog gmp gnutls graphite2 harfbuzz hdf5 icu
intel-openmp jpeg kernel-headers_linux-64 keyutils krb5 lame lcms2 ld_impl_linux-64 lerc llvm-openmp lz4-c mamba
micromamba mkl mkl-service mpc mpfr mysql-common mysql-libs nccl ncurses nettle nomkl nspr nss openblas openh264
openjpeg openssl orc pcre pcre2 pip pixman pthread-stubs python_abi pytorch-cuda pytorch-mutex qt-main re2 readline
s2n sleef snappy sqlite svt-av1 sysroot_linux-64 tbb tk tzdata unixodbc utf8proc x264 x265 xz yaml yaml-cpp zeromq
zlib zlib-ng zstd
"""
_LIBRARIES = frozenset(_LIBRARIES_TEXT.split())
_LIBRARY_PREFIXES = (
    "_",
    "lib",
    "aws-c-",
    "aws-crt-cpp",
    "aws-sdk-cpp",
    "cuda-",
    "font-ttf-",
    "fonts-",
    "gst-",
    "xorg-",
)
_NO_LIBRARIES = {"cuda-python", "libclang", "libcst", "librosa", "libsass"}


def is_library(name: str) -> bool:
    """Whether it only brings libraries: those of this machine and of the packages from PyPI take their place."""
    return name in _LIBRARIES or (name.startswith(_LIBRARY_PREFIXES) and name not in _NO_LIBRARIES)
