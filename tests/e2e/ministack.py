"""A local AWS: the package `ministack`, in a process of its own on the loopback interface."""

import io
import pathlib
import time
import zipfile

import harness

REQUIREMENTS = ("ministack==1.5.33", "boto3==1.43.106")
ACCOUNT, REGION = "123456789012", "eu-west-1"


class Ministack:
    def __init__(self, home, scratch):
        import boto3
        from botocore.config import Config

        self.port = harness.free_port()
        environment = {
            "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port), "LAMBDA_EXECUTOR": "local",
            "LOG_LEVEL": "INFO", "MINISTACK_ACCOUNT_ID": ACCOUNT, "MINISTACK_REGION": REGION,
            "SERVICES": "apigateway,apigatewayv2,iam,lambda,logs,monitoring,sts", "TMPDIR": str(scratch),
            # It looks for containers of its own at start and end. There are none.
            "DOCKER_HOST": f"unix://{scratch}/no-docker.sock",
        }
        self.process = harness.Process("ministack", [home / "bin" / "ministack"], environment, scratch)
        harness.until_listening(self.port, self.process)
        config = Config(retries={"max_attempts": 1}, proxies={})
        self.client = lambda service: boto3.client(
            service, endpoint_url=f"http://127.0.0.1:{self.port}", region_name=REGION, aws_access_key_id=ACCOUNT,
            aws_secret_access_key="x", config=config)

    def create_function(self, name, runtime, handler, files, environment=None):
        """Creates a function of these files, by their names inside the package, and waits until it can be invoked."""
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
            for inside, path in files.items():
                entry = zipfile.ZipInfo(inside)
                entry.external_attr = 0o755 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, pathlib.Path(path).read_bytes())
        functions = self.client("lambda")
        functions.create_function(
            FunctionName=name, Runtime=runtime, Handler=handler, Timeout=10, Code={"ZipFile": package.getvalue()},
            Role=f"arn:aws:iam::{ACCOUNT}:role/{name}", Environment={"Variables": environment or {}})
        end = time.monotonic() + 30
        while functions.get_function_configuration(FunctionName=name)["State"] != "Active":
            if time.monotonic() > end:
                raise SystemExit(f"ministack: the function {name} did not become active")
            time.sleep(0.1)
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
