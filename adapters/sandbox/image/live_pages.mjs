// Every page that an app's server of Node writes loads the script that follows new versions, whatever it is written with.
import { ServerResponse } from "node:http";

const tag = Buffer.from(`<script src="/__threadwright/live.js" data-have="${process.env.LIVE_MARK}"></script>\n`);
const head = /<head(?:\s[^>]{0,500})?>/i;
const page = Symbol("whether it is a page, of which nothing was written yet");
const { writeHead, write, end } = ServerResponse.prototype;

// Its length is not known yet; and validators say that the app's file is the same, which the page is not: its mark is another.
const free = (response) => ["content-length", "etag", "last-modified"].forEach((name) => response.removeHeader(name));

const begin = (response) => {
  if (page in response || response.headersSent) return;
  response[page] = response.statusCode !== 206 && /^text\/html/i.test(response.getHeader("content-type") ?? "") && !response.hasHeader("content-encoding");
};

const put = (response, chunk, encoding) => {
  begin(response);
  if (!response[page] || chunk === undefined || chunk === null || typeof chunk === "function") return chunk;
  response[page] = false;
  const body = Buffer.from(chunk, typeof encoding === "string" ? encoding : "utf8");
  const found = head.exec(body.toString("latin1"));
  if (!found) return chunk;
  const at = found.index + found[0].length;
  if (!response.headersSent) free(response);
  return Buffer.concat([body.subarray(0, at), tag, body.subarray(at)]);
};

ServerResponse.prototype.writeHead = function (status, ...rest) {
  const headers = rest.find((one) => typeof one === "object");
  if (headers && !Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
    rest = rest.filter((one) => one !== headers);
  }
  this.statusCode = status;
  begin(this);
  if (this[page]) free(this);
  return writeHead.call(this, status, ...rest);
};
ServerResponse.prototype.write = function (chunk, encoding, done) {
  return write.call(this, put(this, chunk, encoding), encoding, done);
};
ServerResponse.prototype.end = function (chunk, encoding, done) {
  return end.call(this, put(this, chunk, encoding), encoding, done);
};
