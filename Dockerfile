# Cordwood in a container, from the tarball that `make dist` leaves in dist/. No compiler, nothing built here.
#   make dist && docker build -t cordwood .
FROM debian:12-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --user-group --uid 8000 --home-dir /var/lib/cordwood --shell /usr/sbin/nologin cordwood \
 && install -d -m 700 -o cordwood -g cordwood /var/lib/cordwood
ADD dist/cordwood-*-linux-*.tar.gz /opt/
RUN mv /opt/cordwood-* /opt/cordwood && ln -s /opt/cordwood/bin/cordwood /usr/local/bin/cordwood
USER cordwood
WORKDIR /var/lib/cordwood
VOLUME /var/lib/cordwood
ENV CORDWOOD_ENVIRONMENT=production
ENV CORDWOOD_DATA_DIR=/var/lib/cordwood
ENV CORDWOOD_SERVER_HOST=0.0.0.0
# Within its network: a proxy before it, or mounted certificates, keep others from reading along.
ENV CORDWOOD_SERVER_PLAIN_HTTP=true
EXPOSE 8000
# There is no curl; bash opens the connection.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/8000; printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3; head -n 1 <&3 | grep 200"]
ENTRYPOINT ["cordwood"]
CMD ["serve"]
