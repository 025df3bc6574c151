//! What `cnn bench --profile` says of each step: time, speed, and how near it comes to the machine's roofs.

use std::time::Duration;

use cnn::text::{RULED, name};
use cnn::{Roofs, StepTime};
use comfy_table::Table;
use serde::Serialize;

use super::format::milliseconds;

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

    /// The steps as a table that fits so many columns, with what is to be said about it.
    pub(super) fn table(&self, columns: Option<u16>) -> String {
        // Those that are left out one after the other where there is no room.
        const LEAST_FIRST: [&str; 5] = ["% of memory", "op", "% of peak", "GFLOP/s", "kernel"];
        let fits = |text: &str| columns.is_none_or(|most| text.lines().all(|line| line.chars().count() <= most.into()));
        let mut left_out = 0;
        let mut text = self.columns(&LEAST_FIRST[..left_out]);
        while left_out < LEAST_FIRST.len() && !fits(&text) {
            left_out += 1;
            text = self.columns(&LEAST_FIRST[..left_out]);
        }
        if left_out > 0 {
            text.push_str(&format!(
                "\n\nleft out for want of width: {}",
                LEAST_FIRST[..left_out].join(", ")
            ));
        }
        if left_out == 0 && self.layers().iter().any(|layer| layer.bandwidth_share > 1.0) {
            text.push_str("\n\nmore than 100 % of memory: what a step reads and writes comes from and goes to caches");
        }
        text
    }

    fn columns(&self, left_out: &[&str]) -> String {
        const HEADER: [&str; 8] = [
            "layer",
            "op",
            "kernel",
            "ms",
            "%",
            "GFLOP/s",
            "% of peak",
            "% of memory",
        ];
        let kept = |cells: [&str; 8]| {
            let cells = HEADER
                .iter()
                .zip(cells)
                .filter(|(column, _)| !left_out.contains(column));
            cells.map(|(_, cell)| cell.to_owned()).collect::<Vec<_>>()
        };
        let total: Duration = self.steps.iter().map(|step| step.time).sum();
        let mut table = Table::new();
        table.load_style(RULED);
        table.set_header(kept(HEADER));
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
            table.add_row(kept([
                &name(layer.name),
                layer.op,
                layer.kernel,
                &ms,
                &share,
                &speed,
                &peak,
                &memory,
            ]));
        }
        table.trim_fmt()
    }
}
