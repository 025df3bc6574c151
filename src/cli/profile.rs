//! What `cnn bench --profile` says of each step: time, speed, and how near it comes to the machine's roofs.

use std::time::Duration;

use cnn::text::RULED;
use cnn::{Roofs, StepTime};
use comfy_table::Table;
use serde::Serialize;

use super::bench::milliseconds;

/// The steps of a network, measured, with what they are measured against.
pub(super) struct Profile {
    pub(super) steps: Vec<StepTime>,
    pub(super) roofs: Roofs,
    pub(super) batch: usize,
}

/// A step as `--json` prints it.
#[derive(Serialize)]
pub(super) struct Layer<'a> {
    name: &'a str,
    op: &'a str,
    kernel: &'a str,
    ms: f64,
    gflops: f64,
    /// Of the multiply–add peak; Winograd's algorithm, which multiplies less than is counted, may pass 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_share: Option<f64>,
    /// Of the memory's speed; above 1 where values or weights come from a cache.
    bandwidth_share: f64,
}

impl Profile {
    /// The steps for other programs.
    pub(super) fn layers(&self) -> Vec<Layer<'_>> {
        self.steps.iter().map(|step| self.layer(step)).collect()
    }

    fn layer<'a>(&self, step: &'a StepTime) -> Layer<'a> {
        let seconds = step.time.as_secs_f64().max(1e-9);
        let rate = 2.0 * step.multiplications as f64 * self.batch as f64 / seconds;
        let thousandth = |share: f64| (share * 1e3).round() / 1e3;
        Layer {
            name: &step.layer,
            op: step.op,
            kernel: &step.kernel,
            ms: milliseconds(step.time),
            gflops: rate / 1e9,
            peak_share: self.roofs.operations.map(|peak| thousandth(rate / peak)),
            bandwidth_share: thousandth(step.bytes as f64 / seconds / self.roofs.bytes),
        }
    }

    /// The machine's roofs in words.
    pub(super) fn machine(&self) -> String {
        let memory = format!("{:.1} GB/s read from memory", self.roofs.bytes / 1e9);
        match self.roofs.operations {
            Some(peak) => format!("{:.1} GFLOP/s of multiply–adds, {memory}", peak / 1e9),
            None => memory,
        }
    }

    /// The steps as a table.
    pub(super) fn table(&self) -> Table {
        let total: Duration = self.steps.iter().map(|step| step.time).sum();
        let mut table = Table::new();
        table.load_style(RULED);
        table.set_header([
            "layer",
            "op",
            "kernel",
            "ms",
            "%",
            "GFLOP/s",
            "% of peak",
            "% of memory",
        ]);
        for step in &self.steps {
            let layer = self.layer(step);
            let percent = |share: f64| format!("{:.0}", 100.0 * share);
            let ms = format!("{:.4}", layer.ms);
            let share = format!("{:.1}", 100.0 * step.time.as_secs_f64() / total.as_secs_f64().max(1e-9));
            let (speed, peak) = if step.multiplications == 0 {
                Default::default()
            } else {
                let peak = layer.peak_share.map(percent);
                (format!("{:.1}", layer.gflops), peak.unwrap_or_default())
            };
            let memory = percent(layer.bandwidth_share);
            table.add_row([layer.name, layer.op, layer.kernel, &ms, &share, &speed, &peak, &memory]);
        }
        table
    }
}
