absl-py==2.5.1
aiohappyeyeballs==2.7.1
aiohttp==3.14.5
aiosignal==1.4.0
alembic==1.20.1
annotated-doc==0.0.7
annotated-types==0.8.0
anyio==4.16.0
ast-serialize==0.13.1
astunparse==1.6.3
attrs==26.1.0
blinker==1.9.0
cachetools==7.3.2
certifi==2026.10.18
cffi==2.1.1 ; platform_python_implementation != 'PyPy'
charset-normalizer==3.5.2
click==8.5.1
cloudpickle==3.1.2
colorama==0.4.6 ; sys_platform == 'win32'
colorlog==6.12.0
contourpy==1.3.3 ; python_full_version < '3.12'
contourpy==1.4.0 ; python_full_version >= '3.12'
cryptography==50.0.2
cycler==0.12.1
databricks-sdk==0.156.0
docker==7.2.0
execnet==2.1.2
fastapi==0.165.0
flask==3.1.3
flask-cors==6.0.5
flatbuffers==25.12.19
fonttools==4.68.0
frozenlist==1.8.0
gast==0.7.0
gensim==4.4.0
gitdb==4.0.12
gitpython==3.2.1
google-auth==2.62.2
google-pasta==0.2.0
graphene==3.4
graphql-core==3.2.14
graphql-relay==3.2.0
grpcio==1.85.1
gunicorn==26.2.0 ; sys_platform != 'win32'
h11==0.16.0
h5py==3.14.0
huey==3.5.4
hypothesis==6.170.15
idna==3.20
importlib-metadata==9.1.0
iniconfig==2.3.1
itsdangerous==2.2.0
jinja2==3.1.6
joblib==1.6.0
keras==3.15.1
kiwisolver==1.5.1
libclang==18.1.1
librt==0.16.0 ; platform_python_implementation != 'PyPy'
llvmlite==0.50.0
mako==1.4.3
markdown-it-py==4.3.0
markupsafe==3.0.4
matplotlib==3.11.2
mdurl==0.1.2
ml-dtypes==0.6.0
mlflow==3.17.2
mlflow-skinny==3.17.2
mlflow-tracing==3.17.2
multidict==7.2.1
mypy==2.4.1
mypy-extensions==1.2.0
namex==0.1.0
narwhals==2.29.0
numba==0.68.1
numpy==2.4.6 ; python_full_version < '3.12'
numpy==2.5.5 ; python_full_version >= '3.12'
opentelemetry-api==1.45.2
opentelemetry-proto==1.45.2
opentelemetry-sdk==1.45.2
opentelemetry-semantic-conventions==0.66b2
opt-einsum==3.4.0
optree==0.20.0
optuna==5.0.0
packaging==26.3
pandas==3.1.1
pandas-stubs==3.1.0.261029
pathspec==1.1.1
pillow==13.0.0
platformdirs==4.14.7
pluggy==1.7.0
pooch==1.9.0
prettytable==3.18.0
propcache==0.5.4
protobuf==7.36.2
pyarrow==25.0.1
pyasn1==0.6.5
pyasn1-modules==0.4.2
pycparser==3.12 ; implementation_name != 'PyPy' and platform_python_implementation != 'PyPy'
pydantic==2.14.3
pydantic-core==2.50.4
pygments==2.21.0
pyparsing==3.3.3
pytest==9.2.0
pytest-xdist==3.8.0
python-dateutil==4.0.0
python-dotenv==1.2.4
pywin32==312 ; sys_platform == 'win32'
pyyaml==6.0.3
regex==2026.11.15
requests==2.34.2
rich==15.0.0
ruff==0.17.6
scikit-learn==1.9.1
scipy==1.17.1 ; python_full_version < '3.12'
scipy==1.18.1 ; python_full_version >= '3.12'
setuptools==84.2.1
six==1.17.0
skops==0.16.0
smart-open==9.0.2
smmap==5.0.3
sortedcontainers==2.4.0
sqlalchemy==2.1.9
sqlparse==0.6.1
starlette==1.10.0
tensorflow==2.21.0 ; platform_machine != 'x86_64' or sys_platform != 'linux'
tensorflow-cpu==2.21.0 ; platform_machine == 'x86_64' and sys_platform == 'linux'
termcolor==3.3.0
threadpoolctl==3.8.0
tqdm==4.70.1
types-pyyaml==6.0.12.20261113
types-regex==2026.11.8.20261109
types-tqdm==4.70.0.20261106
typing-extensions==4.16.0
typing-inspection==0.4.5
tzdata==2026.6
urllib3==2.8.0
uv==0.13.9
uvicorn==0.54.0
waitress==3.0.2 ; sys_platform == 'win32'
wcwidth==0.9.4
werkzeug==3.1.9
wheel==0.48.0
wrapt==2.5.2
yarl==1.25.1
zipp==4.1.2
