#!/usr/bin/env python3
"""Asks the same of an API behind a gateway and of the same API self-hosted, over the loopback interface.

The gateway is that of `ministack`, a local AWS. Its authorizers and its handlers are Lambda functions made of this
crate: `tests/e2e/home.rs` in all roles, and the user service of `examples/users_api`, whose handlers run there as
`examples/lambda_handler.rs`. Statuses, bodies, content types and error types have to be equal. Where the local AWS does
not do what AWS documents, the difference is named in `DIFFERENCES`, with the source. Prints a table; exits with 1 if any
row differs, after the logs.

Its events of format 1.0 have no `version`, so that authorizers take them for those of a REST API; their answers are the
same.

Needs python3, cargo, strip, and the package index of Python.
"""

import json
import re
import subprocess

import harness
import ministack

HOME = harness.in_virtual_environment(*ministack.REQUIREMENTS)

IMPLICIT = '{"Message":"User is not authorized to access this resource"}'
EXPLICIT = IMPLICIT[:-2] + ' with an explicit deny in an identity-based policy"}'
UNAUTHORIZED = '{"message":"Unauthorized"}'
FORBIDDEN = '{"message":"Forbidden"}'
ERROR = '{"message":"Internal Server Error"}'
NULL = '{"message":null}'
JSON = {"content-type": "application/json"}

table = harness.Table("service", "gateway")

# What the gateway answers otherwise, by name, where, and why.
DIFFERENCES = {
    # AWS documents 500 for a Lambda authorizer of an HTTP API that fails, and says nothing about the word `Unauthorized`
    # there: Developer Guide, "Troubleshooting issues with HTTP API Lambda authorizers". It documents 401 for REST APIs:
    # "Use API Gateway Lambda authorizers". The layer has one meaning for the word.
    "a failure with the word `Unauthorized` is like any other in an HTTP API": {
        "where": {(api, "unauthorized") for api in ("http1", "http2", "simple")},
        "got": '500 application/json {"message": "Internal Server Error"}',
    },
    # An HTTP API shows handlers its paths decoded (observed: middleapi/standard-server#93, honojs/hono#2156), and AWS does
    # not document what becomes of an escape that is none. This gateway takes it for text, asks the authorizer about
    # that text, and shows it to the handler, which then is asked for just that. The layer refuses it.
    "a malformed escape is text": {
        "where": {(api, "a hostile path: /things/%zz") for api in ("http1", "http2", "simple")},
        "got": re.compile(r'200 application/json .*"path": "/things/%25zz".*"thing": "%zz"}'),
    },
}
met = set()


def seen(port, method, path, headers, body=None):
    """What is compared of a response. JSON is compared as JSON."""
    status, answered, text = harness.ask(port, method, path, headers, body)
    try:
        text = json.dumps(json.loads(text), ensure_ascii=False, sort_keys=True)
    except ValueError:
        pass
    kind = (answered["content-type"] or "").partition(";")[0]
    return " ".join(part for part in (str(status), kind, answered["x-amzn-ErrorType"] or "", text) if part)


def expected(status, body, error_type=None):
    body = json.dumps(json.loads(body), ensure_ascii=False, sort_keys=True) if body else ""
    return " ".join(part for part in (str(status), "application/json", error_type or "", body) if part)


def compare(api, scenario, wanted, service, gateway):
    for name, difference in DIFFERENCES.items():
        if (api, scenario) in difference["where"]:
            met.add(name)
            table.check(f"{api}: {scenario}", wanted, service=service)
            table.check(f"{api}: {scenario}: {name}", difference["got"], gateway=gateway)
            return
    table.check(f"{api}: {scenario}", wanted, service=service, gateway=gateway)


class Gateway:
    """The APIs of the local AWS."""

    def __init__(self, aws):
        self.aws = aws
        self.rest, self.http = aws.client("apigateway"), aws.client("apigatewayv2")

    @staticmethod
    def uri(function):
        return f"arn:aws:apigateway:{ministack.REGION}:lambda:path/2015-03-31/functions/{function}/invocations"

    def create_rest(self, api_id, kind, sources, stage, authorizer, handler, variables=None):
        api = self.rest.create_rest_api(name=api_id, tags={"ms-custom-id": api_id})["id"]
        authorizer_id = self.rest.create_authorizer(
            restApiId=api, name="authorizer", type=kind, authorizerUri=self.uri(authorizer), identitySource=sources,
            authorizerResultTtlInSeconds=300)["id"]
        root = self.rest.get_resources(restApiId=api)["items"][0]["id"]
        resource = self.rest.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
        self.rest.put_method(restApiId=api, resourceId=resource, httpMethod="ANY", authorizationType="CUSTOM",
                             authorizerId=authorizer_id)
        self.rest.put_integration(restApiId=api, resourceId=resource, httpMethod="ANY", type="AWS_PROXY",
                                  integrationHttpMethod="POST", uri=self.uri(handler))
        self.rest.create_deployment(restApiId=api, stageName=stage, variables=variables or {})
        return f"/_aws/execute-api/{api}/{stage}"

    def create_http(self, api_id, version, simple, authorizer, handler):
        api = self.http.create_api(Name=api_id, ProtocolType="HTTP", Tags={"ms-custom-id": api_id})["ApiId"]
        more = {"EnableSimpleResponses": simple} if version == "2.0" else {}
        authorizer_id = self.http.create_authorizer(
            ApiId=api, Name="authorizer", AuthorizerType="REQUEST", AuthorizerUri=self.uri(authorizer),
            IdentitySource=["$request.header.Authorization"], AuthorizerPayloadFormatVersion=version,
            AuthorizerResultTtlInSeconds=0 if simple else 300, **more)["AuthorizerId"]
        integration = self.http.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=self.uri(handler),
            PayloadFormatVersion="2.0")["IntegrationId"]
        self.http.create_route(ApiId=api, RouteKey="$default", AuthorizationType="CUSTOM",
                               AuthorizerId=authorizer_id, Target=f"integrations/{integration}")
        self.http.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        return f"/_aws/execute-api/{api}/$default"


def run(scratch):
    names = ("e2e_home", "lambda_handler", "users_api")
    programs = dict(zip(names, harness.build_examples(*names)))
    stripped = {}
    for name in ("e2e_home", "lambda_handler"):
        stripped[name] = scratch / name
        subprocess.run(["strip", "-o", stripped[name], programs[name]], check=True)
    aws = ministack.Ministack(HOME, scratch)
    gateway = Gateway(aws)

    def function(name, program, environment):
        return aws.create_function(name, "provided.al2023", "bootstrap", {"bootstrap": stripped[program]}, environment)

    for api in ("token", "rest", "http1", "http2", "simple"):
        environment = {"API": api, "API_ID": f"{api}api", "API_ACCOUNT": ministack.ACCOUNT, "API_REGION": ministack.REGION}
        authorizer = function(f"{api}-authorizer", "e2e_home", {**environment, "ROLE": "authorizer"})
        handler = function(f"{api}-handler", "e2e_home", {**environment, "ROLE": "handler"})
        source = "method.request.header.Authorization"
        if api in ("token", "rest"):
            kind = "TOKEN" if api == "token" else "REQUEST"
            base = gateway.create_rest(f"{api}api", kind, source, "prod", authorizer, handler)
        else:
            base = gateway.create_http(f"{api}api", "1.0" if api == "http1" else "2.0", api == "simple", authorizer, handler)
        service = harness.Process(f"the service `{api}`", [programs["e2e_home"]], {**environment, "ROLE": "service"})
        port = int(service.wait_for(r"^listening on http://127\.0\.0\.1:(\d+)$").group(1))
        run_things(api, port, lambda method, path, headers: seen(aws.port, method, base + path, headers))
    run_users(programs["users_api"], scratch, aws, gateway, function)
    for name in DIFFERENCES:
        table.check(f"the difference `{name}` was met", True, gateway=name in met)


def run_things(api, port, at_gateway):
    is_rest, is_simple = api in ("token", "rest"), api == "simple"
    unauthorized = expected(401, UNAUTHORIZED, "UnauthorizedException" if is_rest else None)
    if is_rest:
        implicit, explicit = expected(403, IMPLICIT, "AccessDeniedException"), expected(403, EXPLICIT, "AccessDeniedException")
        failure = expected(500, NULL, "AuthorizerConfigurationException")
    else:
        implicit = explicit = expected(403, FORBIDDEN)
        failure = expected(500, ERROR)

    def told(method="GET", path="/things/7", thing="7", query=None, **more):
        answer = {"principal": "me@example.com", "text": 'Zoë "quoted"', "number": 12, "flag": True, "plan": None,
                  "list": None, "names": 3, "thing": thing, "method": method, "path": path, "query": query}
        if is_simple:
            answer.update(principal=None, text=None, number=None, flag=None, plan="free", names=1)
        return expected(200, json.dumps({**answer, **more}))

    def check(scenario, wanted, token, method="GET", path="/things/7"):
        headers = {"Authorization": token} if token is not None else {}
        compare(api, scenario, wanted, seen(port, method, path, headers), at_gateway(method, path, headers))

    check("allowed", told(), "allow")
    check("allowed, once more", told(path="/things/8", thing="8"), "allow", path="/things/8")
    # Of several parameters, `lambda_http` does not keep the order that a REST API has lost.
    check("a query", told(query="a=1"), "allow", path="/things/7?a=1")
    check("an escaped path", told(path="/things/a%20b", thing="a b"), "allow", path="/things/a%20b")
    bad_request = expected(400, '{"message":"Bad Request"}', "BadRequestException" if is_rest else None)
    for path in ("/things/../admin", "/things//7", "/things/%2e%2e/admin", "/things/%zz"):
        check(f"a hostile path: {path}", bad_request, "allow", path=path)
    check("no token", unauthorized, None)
    check("unauthorized", unauthorized, "unauthorized")
    check("a failure", failure, "who is this?")
    check("a panic", failure, "panic")
    if is_simple:
        check("no", implicit, "deny")
        check("a policy", failure, "nothing")
        return
    check("another method", implicit, "allow", method="POST")
    check("another path", implicit, "allow", path="/others/7")
    check("the very path", told(path="/things/9", thing="9"), "echo", path="/things/9")
    check("the policy of another path", implicit, "echo", path="/things/10")
    check("an explicit deny", explicit, "deny")
    check("a policy about nothing", implicit, "nothing")
    check("a stolen principal", failure, "stolen")
    check("a list in the context", told(list=["a", "b"], names=4) if api == "http2" else failure, "list")


def run_users(program, scratch, aws, gateway, function):
    """The user service, with and without a gateway in front of it."""
    environment = {"API_ID": "usersapi", "API_STAGE": "dev", "API_ACCOUNT": ministack.ACCOUNT,
                   "DATABASE": str(scratch / "lambda.redb")}
    authorizer = function("users-authorizer", "e2e_home", {"ROLE": "authorizer", "API": "users"})
    handler = function("users-handler", "lambda_handler", environment)
    sources = "method.request.header.HeaderAuth1, method.request.querystring.QueryString1, stageVariables.StageVar1"
    base = gateway.create_rest("usersapi", "REQUEST", sources, "dev", authorizer, handler, {"StageVar1": "stageValue1"})
    service = harness.Process("users_api as a service", [program], {"PORT": "0", "DATABASE": str(scratch / "service.redb")})
    port = int(service.wait_for(r"^listening on http://127\.0\.0\.1:(\d+)$").group(1))

    def check(scenario, wanted, method, path, headers=None, body=None):
        headers = {"HeaderAuth1": "headerValue1"} if headers is None else headers
        sent = {**headers, **(JSON if body else {})}
        compare("users", scenario, wanted, seen(port, method, path, sent, body),
                seen(aws.port, method, base + path, sent, body))

    query = "?QueryString1=queryValue1"
    record = '{"age":"1001","height":"300","income":"200"}'
    stored = '{"userid":"me",' + record[1:]
    unauthorized = expected(401, UNAUTHORIZED, "UnauthorizedException")
    implicit, explicit = (expected(403, body, "AccessDeniedException") for body in (IMPLICIT, EXPLICIT))
    check("nobody yet", expected(404, '{"message":"there is no such user"}'), "GET", "/users/me" + query)
    check("stored", expected(201, stored), "POST", "/users" + query, body=record.encode())
    check("shown", expected(200, stored), "GET", "/users/me" + query)
    check("no header", unauthorized, "GET", "/users/me" + query, {})
    check("no query parameter", unauthorized, "GET", "/users/me")
    check("a wrong header", unauthorized, "GET", "/users/me" + query, {"HeaderAuth1": "headerValue2"})
    check("somebody else", implicit, "GET", "/users/someone-else" + query)
    check("a path that is not there", implicit, "GET", "/admin" + query)
    check("DELETE oneself", explicit, "DELETE", "/users/me" + query)
    check("below oneself", expected(404, '{"message":"there is nothing here"}'), "GET", "/users/me/orders" + query)
    check("PUT", expected(405, '{"message":"use a method that the header `allow` names"}'), "PUT", "/users/me" + query)
    for scenario, body in (("half a body", b'{"age":'), ("no JSON", b"age=1001")):
        answered = seen(port, "POST", "/users" + query, {"HeaderAuth1": "headerValue1", **JSON}, body)
        check(scenario, answered, "POST", "/users" + query, body=body)
    # A new connection to the same file would wait for the first to end; the record has to be the first one.
    check("still there", expected(200, stored), "GET", "/users/me" + query)


if __name__ == "__main__":
    harness.drive(run, table)
