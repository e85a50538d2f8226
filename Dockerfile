# Built in one stage, served in another that has neither Node nor the sources. The process is nobody in particular.
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN pip wheel --no-deps --no-cache-dir --constraint constraints.txt --wheel-dir /wheels .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin retrograd && install --directory --owner retrograd /data
COPY constraints.txt /wheels/
COPY --from=build /wheels/*.whl /wheels/
RUN pip install --no-cache-dir --constraint /wheels/constraints.txt "$(ls /wheels/*.whl)[postgres]" && rm -r /wheels
USER retrograd
WORKDIR /data
VOLUME /data
# What listens beyond loopback asks for RETROGRAD_TOKEN, or for RETROGRAD_PUBLIC=true.
ENV RETROGRAD_HOST=0.0.0.0 RETROGRAD_PORT=8000 RETROGRAD_DATA=/data RETROGRAD_LOG=json
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=5)"]
ENTRYPOINT ["retrograd"]
CMD ["serve"]
