// How programs are told to send to this server. Pure: no document.
//
// Each gives [{name, text, needs?}]: commands and settings to copy, with `key` put in where one is needed;
// `needs` is a setting of the server without which nothing listens.

function address(origin) {
  const url = new URL(origin);
  const isTLS = url.protocol === 'https:';
  return { url: url.origin, host: url.hostname, port: url.port || (isTLS ? '443' : '80'), isTLS };
}

const lines = (...list) => list.filter((line) => line !== null).join('\n');

const curl = ({ url }, key, service) => [{
  name: 'curl',
  text: lines(`curl -s ${url}/v1/records/logs \\`, key ? `  -H 'Authorization: Bearer ${key}' \\` : null,
    `  --data-binary '{"level":"INFO","service":"${service}","message":"hello from curl"}'`),
}];

const file = ({ url }, key, service) => [{
  name: 'cordwood import',
  text: lines(key ? `export CORDWOOD_KEY=${key}` : null,
    `cordwood import app.log --url ${url} --service ${service}`,
    `journalctl -f | cordwood import - --url ${url} --service journal`),
}, {
  name: 'plain lines',
  text: lines(`curl -s '${url}/insert?service=${service}&level=info' \\`, key
    ? `  -H 'Authorization: Bearer ${key}' \\` : null,
    '  --data-binary @app.log'),
}];

const otlp = ({ url }, key) => [{
  name: 'SDKs',
  text: lines(`export OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=${url}/v1/logs`,
    key ? `export OTEL_EXPORTER_OTLP_LOGS_HEADERS='Authorization=Bearer%20${key}'` : null),
}, {
  name: 'Collector',
  text: lines('exporters:', '  otlphttp:', `    logs_endpoint: ${url}/v1/logs`,
    key ? `    headers: {Authorization: "Bearer ${key}"}` : null),
}];

const fluentbit = ({ host, port, isTLS }, key, service) => [{
  name: 'fluent-bit.conf',
  text: lines('[OUTPUT]', '    name    http', '    match   *', `    host    ${host}`, `    port    ${port}`,
    `    uri     /insert?service=${service}`, '    format  json', isTLS ? '    tls     on' : null,
    key ? `    header  Authorization Bearer ${key}` : null),
}];

const vector = ({ url }, key, service) => [{
  name: 'vector.yaml',
  text: lines('sinks:', '  cordwood:', '    type: http', '    inputs: [app]',
    `    uri: ${url}/insert?service=${service}`,
    '    encoding: {codec: json}', key ? `    auth: {strategy: bearer, token: ${key}}` : null),
}];

const promtail = ({ url }, key) => [{
  name: 'promtail.yaml',
  text: lines('clients:', `  - url: ${url}/loki/api/v1/push`, key ? `    bearer_token: ${key}` : null),
}];

const filebeat = ({ url }, key) => [{
  name: 'filebeat.yml',
  text: lines('output.elasticsearch:', `  hosts: ["${url}"]`, '  path: /elasticsearch', key
    ? `  api_key: "any:${key}"` : null,
    'setup.ilm.enabled: false'),
}];

const docker = ({ url, host }, key, service) => [{
  name: 'Splunk driver',
  text: lines(`docker run --log-driver=splunk --log-opt splunk-url=${url} \\`,
    `  --log-opt splunk-token=${key || 'KEY'} --log-opt splunk-source=${service} \\`,
      '  --log-opt splunk-gzip=true alpine echo hello'),
}, {
  name: 'Fluentd driver',
  text: lines(`docker run --log-driver fluentd --log-opt fluentd-address=${host}:24224 \\`,
    "  --log-opt tag='{{.Name}}' alpine echo hello"),
  needs: lines('listen:', '  forward:', `    - tcp://${host}:24224`),
}];

const journald = ({ isTLS, url }, key) => {
  const at = key ? url.replace('://', `://any:${key}@`) : url;
  return [{
    name: '/etc/systemd/journal-upload.conf',
    text: lines('[Upload]', `URL=${at}${/:\d+$/.test(url) ? '' : isTLS ? ':443' : ':80'}`),
  }];
};

const syslog = ({ host }, key, service) => [{
  name: 'logger',
  text: `logger -n ${host} -P 5514 -T --rfc5424 -t ${service} 'hello from logger'`,
  needs: lines('listen:', '  syslog:', `    - tcp://${host}:5514`),
}, {
  name: 'rsyslog.conf',
  text: lines(`*.* action(type="omfwd" target="${host}" port="5514" protocol="tcp"`,
    '           TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")'),
  needs: null,
}];

const python = ({ url }, key, service) => [{
  name: 'Python',
  text: lines('import json, urllib.request',
    `record = {"level": "INFO", "service": "${service}", "message": "hello from Python"}`,
    'request = urllib.request.Request(',
      `    "${url}/v1/records/logs", json.dumps(record).encode()${key ? ',' : ')'}`,
    key ? `    {"Authorization": "Bearer ${key}"})` : null, 'print(urllib.request.urlopen(request).read())'),
}];

const workflow = ({ url }, key) => [{
  name: 'curl',
  text: lines(`curl -s ${url}/api/v1/logs -H 'X-API-Key: ${key || 'WORKFLOW_KEY'}' \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -d '{"environment":"production","executed_at":"'$(date -u +%FT%TZ)'","ticket_id":"T-1",`,
    '       "category":"refund","status":"SUCCESS","execution_time_seconds":4.2}\''),
}];

export const SHIPPERS = { curl, import: file, otlp, fluentbit, vector, promtail, filebeat, docker, journald,
  syslog, python, workflow };

/** What goes into a command between quotes: nothing in it can end them. */
export function plainName(text, otherwise) {
  return text.replace(/[^A-Za-z0-9._-]/g, '') || otherwise;
}

export function snippetsFor(shipper, origin, key, service) {
  return SHIPPERS[shipper](address(origin), key.replace(/[^A-Za-z0-9._~+/=-]/g, ''), plainName(service,
    'my-app'));
}
