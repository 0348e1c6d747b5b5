// A TOKEN authorizer as many were written: with a callback, a policy made by hand, and the word `Unauthorized`.
// The token decides what it answers, so that a test can ask for each kind of answer.
"use strict";

class Policy {
  constructor(methodArn) {
    const [arn, partition, service, region, account, target] = methodArn.split(":");
    const [api, stage] = target.split("/");
    this.stageArn = [arn, partition, service, region, account, `${api}/${stage}`].join(":");
    this.statements = [];
  }

  add(effect, verb, path) {
    const resource = `${this.stageArn}/${verb}/${path.replace(/^\//, "")}`;
    this.statements.push({ Action: "execute-api:Invoke", Effect: effect, Resource: [resource] });
    return this;
  }

  answer(principalId, context) {
    const policyDocument = { Version: "2012-10-17", Statement: this.statements };
    return { principalId, policyDocument, context };
  }
}

const USER = "user|a1b2c3d4";
const CONTEXT = { stringKey: "value", numberKey: 12, booleanKey: true };

let invocations = 0;

exports.handler = (event, context, callback) => {
  invocations += 1;
  const policy = () => new Policy(event.methodArn);
  const seconds = Math.floor(Date.now() / 1000);
  switch (event.type === "TOKEN" ? event.authorizationToken : undefined) {
    case "allow":
      return callback(null, policy().add("Allow", "GET", "/orders/*").answer(USER, CONTEXT));
    case "deny":
      return callback(null, policy().add("Allow", "*", "/*").add("Deny", "*", "/orders/*").answer(USER, CONTEXT));
    case "nothing":
      return callback(null, policy().answer(USER, CONTEXT));
    case "unauthorized":
      return callback("Unauthorized");
    case "thrown":
      throw new Error("Unauthorized");
    case "reason":
      return callback(new Error("Unauthorized: the token has expired"));
    case "returned":
      return callback(null, "Unauthorized");
    case "nobody":
      return callback(null, { ...policy().add("Allow", "*", "/*").answer(USER), principalId: undefined });
    case "misspelt":
      return callback(null, {
        principalId: USER,
        policyDocument: { Version: "2012-10-17", Statement: [{ Action: "execute-api:Invoke", Efect: "Deny", Resource: "*" }] },
      });
    case "nested":
      return callback(null, policy().add("Allow", "*", "/*").answer(USER, { roles: ["admin"] }));
    case "simple":
      return callback(null, { isAuthorized: true });
    case "once":
      // Good for this request only, so that each is counted.
      return callback(null, policy().add("Allow", "GET", "/orders/*")
        .answer(USER, { numberKey: invocations, authorizerExpiresAt: seconds }));
    case "huge":
      return callback(null, policy().add("Allow", "*", "/*").answer(USER, { text: "x".repeat(300 * 1024) }));
    case "undefined":
      return callback();
    default:
      return callback(`Error: no such token, and the database is at db.internal`);
  }
};
