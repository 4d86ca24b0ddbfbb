"""The page at the root: the addresses, in two languages, without anything loaded from elsewhere."""

from __future__ import annotations

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "cache-control": "no-store",
}

HTML = """<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Premia</title>
<style>
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; color: #1d2733; }
  h1 { margin-bottom: 0 } p.lead { margin-top: .2rem; color: #52606d }
  table { border-collapse: collapse; width: 100% } td { padding: .5rem; border-top: 1px solid #d9e2ec; vertical-align: top }
  code { background: #f0f4f8; padding: .1rem .3rem; border-radius: 3px }
</style>
<h1>Premia</h1>
<p class="lead">城乡居民两险保费征缴与清算 · Resident premiums, collected through many banks and cleared through three</p>
<table>
  <tr><td><code>POST /graphql</code></td><td>GraphQL 查询与提交 · queries and mutations</td></tr>
  <tr><td><code>ws /graphql</code></td><td>订阅，协议 <code>graphql-transport-ws</code> · subscriptions</td></tr>
  <tr><td><a href="/healthz"><code>GET /healthz</code></a></td><td>进程存活 · the process lives</td></tr>
  <tr><td><a href="/readyz"><code>GET /readyz</code></a></td><td>可以服务 · it can serve</td></tr>
</table>
<p>令牌 · a token: <code>premia token --role officer --name officer-1</code></p>
</html>
"""
