internal import Hummingbird
internal import KilnModel
internal import KilnStore

extension Backend {
    /// `GET /metrics`
    func addMetrics(to table: inout RouteTable) {
        table.add(
            .get, "/metrics",
            .init("getMetrics", "Counts and durations for Prometheus.", answers: .ok(.bytes("text/plain", "Prometheus' text format, version 0.0.4.")))
        ) { call in
            try authorise(call, .readMetrics, .installation)
            var text = PrometheusText()
            writeRequests(&text)
            writeResources(&text, try await store.counts())
            writeReconciliations(&text)
            text.family("kiln_engine_connected", "gauge", "Whether kiln-agent is connected.")
            text.sample("kiln_engine_connected", [], controller.link.engine == nil ? 0 : 1)
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text.text))
            )
        }
    }

    private func writeRequests(_ text: inout PrometheusText) {
        text.family("kiln_http_request_duration_seconds", "histogram", "Time until the head of the answer, by route and status.")
        for (key, histogram) in metrics.all {
            let labels = [("route", key.route), ("method", key.method), ("status", String(key.status))]
            var total = 0
            for (bound, count) in zip(RequestMetrics.bounds, histogram.buckets) {
                total += count
                text.sample("kiln_http_request_duration_seconds_bucket", labels + [("le", "\(bound)")], total)
            }
            text.sample("kiln_http_request_duration_seconds_bucket", labels + [("le", "+Inf")], histogram.count)
            text.sample("kiln_http_request_duration_seconds_sum", labels, histogram.sum)
            text.sample("kiln_http_request_duration_seconds_count", labels, histogram.count)
        }
    }

    private func writeResources(_ text: inout PrometheusText, _ counts: [ResourceCount]) {
        text.family("kiln_resources", "gauge", "Resources by kind and phase.")
        for count in counts { text.sample("kiln_resources", [("kind", count.kind.noun), ("phase", count.phase)], count.count) }
    }

    private func writeReconciliations(_ text: inout PrometheusText) {
        let tallies = controller.metrics.byKind.sorted { $0.key.rawValue < $1.key.rawValue }
        text.family("kiln_reconcile_duration_seconds", "summary", "Time that looking at resources took.")
        for (kind, tally) in tallies {
            text.sample("kiln_reconcile_duration_seconds_sum", [("kind", kind.noun)], tally.duration)
            text.sample("kiln_reconcile_duration_seconds_count", [("kind", kind.noun)], tally.count)
        }
        text.family("kiln_reconcile_failures_total", "counter", "Looks at resources that have to be repeated.")
        for (kind, tally) in tallies { text.sample("kiln_reconcile_failures_total", [("kind", kind.noun)], tally.failures) }
    }
}
