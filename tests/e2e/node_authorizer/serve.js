// Serves `index.js` as a local runtime serves functions: one endpoint of the Invoke API, on the loopback interface.
//
//   node serve.js [PORT]
"use strict";

const http = require("node:http");
const { handler } = require("./index.js");

const NAMES = ["orders-authorizer", "arn:aws:lambda:eu-west-1:123456789012:function:orders-authorizer"];

/** What the runtime of Node makes of an error, or of something else in the place of one. */
function failure(error) {
  if (error instanceof Error) {
    return { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split("\n") };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function invoke(event, answer) {
  try {
    handler(event, { functionName: NAMES[0] }, (error, result) => {
      if (error !== undefined && error !== null) {
        answer(200, failure(error), { "X-Amz-Function-Error": "Unhandled" });
      } else {
        answer(200, result === undefined ? null : result);
      }
    });
  } catch (error) {
    answer(200, failure(error), { "X-Amz-Function-Error": "Unhandled" });
  }
}

const server = http.createServer((request, response) => {
  const answer = (status, body, headers = {}) => {
    const text = JSON.stringify(body);
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text), ...headers });
    response.end(text);
  };
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const found = /^\/2015-03-31\/functions\/([^/?]+)\/invocations(\?.*)?$/.exec(request.url);
    if (request.method !== "POST" || !found || !NAMES.includes(decodeURIComponent(found[1]))) {
      return answer(404, { Type: "User", Message: "Function not found" });
    }
    let event;
    try {
      event = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    } catch {
      return answer(400, { Type: "User", Message: "Could not parse request body into json" });
    }
    return invoke(event, answer);
  });
});

server.listen(Number(process.argv[2] || 9000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => process.exit(0));
}
