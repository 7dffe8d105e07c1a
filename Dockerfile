# A classifier as a service, by MLflow's own server. The build's context is a packed model:
#   make pack CORPUS=reviews.csv && docker build -t reviews -f Dockerfile service
#   docker run -p 8080:8080 reviews
#   curl localhost:8080/invocations -H 'Content-Type: application/json' -d '["a lovely film", "an awful film"]'

FROM python:3.12-slim AS build
COPY requirements.txt /model/requirements.txt
RUN python -m venv --without-pip /service && \
    pip --python /service install --disable-pip-version-check -r /model/requirements.txt
COPY . /model
# Kernels for any processor of this kind, since the image may run on another than it was built on.
ENV PATH=/service/bin:$PATH PYTHONPATH=/model/code NUMBA_CPU_NAME=generic MLFLOW_DISABLE_TELEMETRY=true
# Loading the model compiles its kernels, and shows that it can be served.
RUN python -c "from convtext.serving.server import app; app()" && chmod -R a+rX /model

FROM python:3.12-slim
COPY --from=build /service /service
COPY --from=build /model /model
ENV PATH=/service/bin:$PATH PYTHONPATH=/model/code NUMBA_CPU_NAME=generic MLFLOW_DISABLE_TELEMETRY=true
# Nothing is written at run time, so that the root file system may be read-only.
ENV NUMBA_CACHE_LOCATOR_CLASSES=convtext.environment.kernel_cache.ReadOnlyCache PYTHONDONTWRITEBYTECODE=1
ENV MLFLOW_LOGGING_LEVEL=ERROR
# Threads share what memory they free.
ENV MALLOC_ARENA_MAX=2
# Seconds, for the largest request while many wait; MLflow's minute is short for that.
ENV MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT=300
# The number of processes, each with the whole model.
ENV WEB_CONCURRENCY=1
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/ping', timeout=4)"]
CMD ["uvicorn", "--factory", "convtext.serving.server:app", "--host", "0.0.0.0", "--port", "8080", "--no-access-log", "--timeout-graceful-shutdown", "5"]
