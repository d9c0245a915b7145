// SPDX-License-Identifier: MIT
// A real daemon on a free port of 127.0.0.1, with a configuration of its own, and
// clients that take and wait for locks of it. Ends the processes that it started.
import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const daemons = new Set();
process.on("exit", () => daemons.forEach((daemon) => daemon.child?.kill("SIGKILL")));

export class Daemon {
  constructor(program, pools, log) {
    this.program = program;
    this.log = log;
    this.port = 0;
    this.sockets = new Set();
    this.dir = mkdtempSync(join(tmpdir(), "distributex-browser-"));
    this.conf = join(this.dir, "conf.yaml");
    const lines = pools.map((p) => "  - " + Object.entries(p).map(([k, v]) => `${k}: ${JSON.stringify(v)}`).join("\n    "));
    writeFileSync(this.conf, `backend: inmemory\npools:\n${lines.join("\n")}\n`);
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  }

  get url() {
    return `http://127.0.0.1:${this.port}/`;
  }

  // Starts the daemon, after a first start on the same port again.
  start() {
    const child = spawn(this.program, ["-c", this.conf, "-l", `127.0.0.1:${this.port}`], { stdio: ["ignore", "ignore", "pipe"] });
    this.child = child;
    daemons.add(this);
    return new Promise((resolve, reject) => {
      let said = "";
      child.stderr.on("data", (data) => {
        appendFileSync(this.log, data);
        if (this.ready) return;
        said += data;
        const port = /listening address=127\.0\.0\.1:(\d+)/.exec(said);
        if (!port || !/ ready /.test(said)) return;
        this.port = Number(port[1]);
        this.ready = true;
        resolve();
      });
      child.on("exit", (code) => {
        this.ready = false;
        reject(new Error(`the daemon ended with ${code}: ${said}`));
      });
    });
  }

  stop() {
    return new Promise((resolve) => {
      if (this.child.exitCode !== null) return resolve();
      this.child.on("exit", resolve);
      this.child.kill("SIGTERM");
    });
  }

  async close() {
    for (const socket of this.sockets) socket.destroy();
    this.agent.destroy();
    await this.stop();
    daemons.delete(this);
    rmSync(this.dir, { recursive: true, force: true });
  }

  get(path, headers = {}) {
    return new Promise((resolve, reject) => {
      const request = http.get({ host: "127.0.0.1", port: this.port, path, headers, agent: this.agent }, (answer) => {
        let body = "";
        answer.setEncoding("utf8").on("data", (part) => (body += part));
        answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body }));
      });
      request.on("error", reject);
    });
  }

  async ask(verb, query) {
    const answer = await this.get(`/${verb}/?${new URLSearchParams(query)}`);
    return answer.body;
  }

  // Returns once the wait was sent, without waiting for its answer.
  wait(query) {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.port, "127.0.0.1", () => {
        socket.write(`GET /wait/?${new URLSearchParams(query)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, () => resolve(socket));
      });
      this.sockets.add(socket);
      socket.resume();
      socket.on("error", reject);
      socket.on("close", () => this.sockets.delete(socket));
    });
  }

  async status(query = "limit=0") {
    return JSON.parse((await this.get(`/status/?${query}`)).body);
  }

  // Returns when this many wait in the pool, or in all pools.
  async waiting(many, name) {
    await until(`${many} wait`, async () => {
      const { pools } = await this.status();
      return pools.filter((p) => !name || p.name === name).reduce((sum, p) => sum + p.queued, 0) === many;
    });
  }

  // Sends the waits one after the other, so that the queue has this order.
  async line(pool, hosts) {
    let { queued } = (await this.status()).pools.find((p) => p.name === pool);
    for (const host of hosts) {
      await this.wait({ pool, ...(typeof host === "string" ? { host } : host) });
      await this.waiting(++queued, pool);
    }
  }
}

// Waits for a condition, with a deadline much longer than that takes.
export async function until(what, condition, ms = 60000) {
  const deadline = Date.now() + ms;
  for (let last; ; ) {
    try {
      last = await condition();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what} (${last?.message ?? last})`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
