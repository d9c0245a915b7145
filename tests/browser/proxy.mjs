// SPDX-License-Identifier: MIT
// nginx as people put it in front of a service: under a path prefix, with its own Host.
// Ends the nginx that it started.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./daemon.mjs";

const program = "/usr/sbin/nginx";
export const has_nginx = () => existsSync(program);

const free_port = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const answers = (url) =>
  new Promise((resolve) => {
    http.get(url, (answer) => resolve(answer.resume().statusCode === 200)).on("error", () => resolve(false));
  });

export class Proxy {
  async start(daemon) {
    this.dir = mkdtempSync(join(tmpdir(), "distributex-nginx-"));
    this.url = `http://127.0.0.1:${await free_port()}/locks/`;
    const { port } = new URL(this.url);
    const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    writeFileSync(join(this.dir, "conf"), `daemon off; master_process off; pid ${this.dir}/pid; error_log ${this.dir}/error;
events {} http { access_log off; ${kinds.map((kind) => `${kind}_temp_path ${this.dir}/${kind};`).join(" ")}
server { listen 127.0.0.1:${port}; location /locks/ { proxy_pass ${daemon.url}; proxy_http_version 1.1; proxy_buffering off; } } }\n`);
    this.child = spawn(program, ["-p", this.dir, "-e", join(this.dir, "error"), "-c", join(this.dir, "conf")], { stdio: "ignore" });
    this.kill = () => this.child.kill("SIGKILL");
    process.on("exit", this.kill);
    await until("nginx answers", () => answers(`${this.url}livez`));
  }

  async close() {
    process.off("exit", this.kill);
    await new Promise((resolve) => this.child.on("exit", resolve).kill("SIGTERM"));
    rmSync(this.dir, { recursive: true, force: true });
  }
}
