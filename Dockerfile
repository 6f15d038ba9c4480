FROM python:3.11-slim
WORKDIR /genload
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements.txt
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
 && useradd --create-home genload \
 && install -d -o genload -g genload results
USER genload
ENTRYPOINT ["genload"]
CMD ["--help"]
