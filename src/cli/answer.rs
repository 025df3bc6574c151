//! What a network's output says: the likeliest classes, or a summary of numbers.

use std::io::{self, Write};

use anstyle::Style;
use cnn::ir::graph::{Graph, NodeId};
use cnn::ir::op::Meaning;
use ndarray::{ArrayViewD, Axis};
use serde_json::{Value, json};

use super::draw::bar;
use super::format::{counted, dims, grouped};

/// Bars of this many characters.
const BAR: usize = 30;
/// Images of a batch that are listed.
const LISTED: usize = 10;
/// Elements of an image's output that are still printed as numbers.
const PRINTED: usize = 64;

const BOLD: Style = Style::new().bold();

/// Told by the operator that computes the output.
pub(super) fn meaning(graph: &Graph, mut id: NodeId, classes_wanted: bool, shape: &[usize]) -> Meaning {
    let vector = shape.iter().skip(1).all(|&dim| dim == 1) && shape.first().is_some_and(|&n| n > 1);
    if !vector {
        return Meaning::Values;
    }
    while graph[id].op.keeps_elements()
        && let Some(&operand) = graph.operands(id).first()
    {
        id = operand;
    }
    let op = &graph[id].op;
    // SqueezeNet's last convolution is its classifier.
    let pooled = op.name() == "global_avg_pool" && graph.is_output(id);
    match op.meaning() {
        Meaning::Values if pooled || classes_wanted => Meaning::Scores,
        Meaning::Indices | Meaning::Mask => Meaning::Values,
        meaning => meaning,
    }
}

/// A class with its probability and score.
struct Ranked {
    class: usize,
    probability: f64,
    score: f32,
}

/// The classes by falling probability, NaN last.
fn rank(scores: &[f32], meaning: Meaning) -> Vec<Ranked> {
    let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let power = |score: f32| f64::from(score - greatest).exp();
    let sum: f64 = scores.iter().map(|&score| power(score)).sum();
    let probability = |score: f32| match meaning {
        Meaning::Probabilities | Meaning::Indices | Meaning::Mask | Meaning::Values => f64::from(score),
        Meaning::LogProbabilities => f64::from(score).exp(),
        Meaning::Scores => power(score) / sum,
    };
    let ranked = scores.iter().enumerate().map(|(class, &score)| Ranked {
        class,
        probability: probability(score),
        score,
    });
    let mut ranked: Vec<_> = ranked.collect();
    let key = |one: &Ranked| {
        if one.score.is_nan() {
            f32::NEG_INFINITY
        } else {
            one.score
        }
    };
    ranked.sort_by(|a, b| key(b).total_cmp(&key(a)));
    ranked
}

/// How answers are shown.
pub(super) struct Presentation<'a> {
    /// Classes shown for an image.
    pub(super) top: Option<usize>,
    /// The classes' names.
    pub(super) labels: Option<&'a [String]>,
    /// The images' names, if they come from files of their own.
    pub(super) images: Option<&'a [String]>,
}

impl Presentation<'_> {
    fn label(&self, class: usize) -> String {
        let label = self.labels.and_then(|labels| labels.get(class));
        label.map_or_else(|| class.to_string(), |label| label.escape_debug().to_string())
    }
}

/// Writes what an output (batch first) says.
pub(super) fn write(
    out: &mut dyn Write,
    name: &str,
    array: ArrayViewD<'_, f32>,
    meaning: Meaning,
    presentation: &Presentation<'_>,
) -> io::Result<()> {
    if meaning == Meaning::Values {
        values(out, name, &array)?;
    } else {
        classes(out, name, &array, meaning, presentation)?;
    }
    let strange = array.iter().filter(|value| !value.is_finite()).count();
    if strange > 0 {
        writeln!(
            out,
            "  {} of {} values are NaN or infinite",
            grouped(strange as u64),
            grouped(array.len() as u64)
        )?;
    }
    Ok(())
}

fn classes(
    out: &mut dyn Write,
    name: &str,
    array: &ArrayViewD<'_, f32>,
    meaning: Meaning,
    presentation: &Presentation<'_>,
) -> io::Result<()> {
    let batch = array.len_of(Axis(0));
    let of = if batch > 1 {
        format!("{} × ", counted(batch, "image"))
    } else {
        String::new()
    };
    let scored = if meaning == Meaning::Scores {
        ", probabilities by softmax"
    } else {
        ""
    };
    writeln!(
        out,
        "{BOLD}{name}{BOLD:#}: {of}{} classes{scored}",
        array.len() / batch.max(1)
    )?;
    let listed = if presentation.images.is_some() { batch } else { LISTED };
    let names = presentation.images.unwrap_or_default();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (number, image) in array.outer_iter().enumerate().take(listed) {
        let mut ranked = rank(&image.iter().copied().collect::<Vec<_>>(), meaning);
        if batch > 1 {
            ranked.truncate(presentation.top.unwrap_or(3));
            let text = |one: &Ranked| format!("{} ({})", presentation.label(one.class), percent(one.probability));
            let answer = ranked.iter().map(text).collect::<Vec<_>>().join(", ");
            match names.get(number) {
                Some(name) => writeln!(out, "  {:<width$}  {answer}", name.escape_debug().to_string())?,
                None => writeln!(out, "  image {number}: {answer}")?,
            }
        } else {
            ranked.truncate(presentation.top.unwrap_or(5));
            chart(out, &ranked, meaning, presentation)?;
        }
    }
    if batch > listed {
        writeln!(
            out,
            "  … {} more; --output FILE.npy writes all",
            grouped((batch - listed) as u64)
        )?;
    }
    Ok(())
}

/// A line with a bar for each class.
fn chart(out: &mut dyn Write, ranked: &[Ranked], meaning: Meaning, presentation: &Presentation<'_>) -> io::Result<()> {
    let labels: Vec<_> = ranked.iter().map(|one| presentation.label(one.class)).collect();
    let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    for (i, (one, label)) in ranked.iter().zip(labels).enumerate() {
        let style = if i == 0 { BOLD } else { Style::new() };
        write!(
            out,
            "  {style}{label:<width$}{style:#}  {:>8}",
            percent(one.probability)
        )?;
        if meaning != Meaning::Probabilities {
            write!(out, "  {:>10.4}", one.score)?;
        }
        writeln!(out, "{}", format!("  {}", bar(one.probability, BAR)).trim_end())?;
    }
    Ok(())
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// Least, mean and greatest value; small arrays whole.
fn values(out: &mut dyn Write, name: &str, array: &ArrayViewD<'_, f32>) -> io::Result<()> {
    let finite = || array.iter().copied().filter(|value| value.is_finite());
    let count = finite().count();
    let least = finite().fold(f32::INFINITY, f32::min);
    let greatest = finite().fold(f32::NEG_INFINITY, f32::max);
    let mean = finite().map(f64::from).sum::<f64>() / count as f64;
    write!(out, "{BOLD}{name}{BOLD:#}: {}", dims(array.shape()))?;
    if count > 0 {
        write!(out, ", least {least}, mean {mean:.6}, greatest {greatest}")?;
    }
    writeln!(out)?;
    if array.len() <= PRINTED {
        matrix(out, array)?;
    }
    Ok(())
}

/// The last two dimensions as rows of numbers, an empty line between matrices.
fn matrix(out: &mut dyn Write, array: &ArrayViewD<'_, f32>) -> io::Result<()> {
    let columns = array.shape().last().copied().unwrap_or(1).max(1);
    let rows = if array.ndim() > 2 {
        array.len_of(Axis(array.ndim() - 2)).max(1)
    } else {
        1
    };
    let texts: Vec<_> = array.iter().map(|value| (value + 0.0).to_string()).collect();
    let width = texts.iter().map(String::len).max().unwrap_or(0);
    for (i, row) in texts.chunks(columns).enumerate() {
        if i > 0 && i.is_multiple_of(rows) {
            writeln!(out)?;
        }
        let row: Vec<_> = row.iter().map(|text| format!("{text:>width$}")).collect();
        writeln!(out, "  {}", row.join(" "))?;
    }
    Ok(())
}

/// What an output says, for other programs: its classes as the network has them, its values in the file's shape.
pub(super) fn as_json(
    name: &str,
    array: ArrayViewD<'_, f32>,
    shaped: ArrayViewD<'_, f32>,
    meaning: Meaning,
    presentation: &Presentation<'_>,
) -> Value {
    // JSON has no NaN and no infinity.
    let number = |value: f64| if value.is_finite() { json!(value) } else { Value::Null };
    let mut output = json!({ "name": name, "shape": shaped.shape() });
    if meaning == Meaning::Values {
        let finite = || array.iter().copied().filter(|value| value.is_finite());
        let count = finite().count();
        let extreme = |of: fn(f32, f32) -> f32| number(finite().reduce(of).map_or(f64::NAN, f64::from));
        output["least"] = extreme(f32::min);
        output["mean"] = number(finite().map(f64::from).sum::<f64>() / count as f64);
        output["greatest"] = extreme(f32::max);
        output["not_finite"] = json!(array.len() - count);
        if array.len() <= PRINTED {
            output["values"] = array.iter().map(|&value| number(f64::from(value))).collect();
        }
        return output;
    }
    let images = array.outer_iter().enumerate().map(|(image, scores)| {
        let mut ranked = rank(&scores.iter().copied().collect::<Vec<_>>(), meaning);
        ranked.truncate(presentation.top.unwrap_or(5));
        let class = |one: &Ranked| {
            let mut class = json!({ "class": one.class, "probability": number(one.probability) });
            if meaning != Meaning::Probabilities {
                class["score"] = number(f64::from(one.score));
            }
            if let Some(label) = presentation.labels.and_then(|labels| labels.get(one.class)) {
                class["label"] = json!(label);
            }
            class
        };
        let mut object = json!({ "top": ranked.iter().map(class).collect::<Vec<_>>() });
        if let Some(name) = presentation.images.and_then(|names| names.get(image)) {
            object["input"] = json!(name);
        }
        object
    });
    output["images"] = images.collect();
    output
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, array};

    use super::*;

    fn written(array: &ArrayD<f32>, meaning: Meaning, labels: Option<&[String]>) -> String {
        let mut out = Vec::new();
        let presentation = Presentation {
            top: Some(2),
            labels,
            images: None,
        };
        write(&mut out, "y", array.view(), meaning, &presentation).unwrap();
        anstream::adapter::strip_bytes(&out).into_vec().try_into().unwrap()
    }

    #[test]
    fn one_image_gets_a_chart() {
        let labels = ["cat", "mouse", "dog"].map(str::to_owned);
        let text = written(
            &array![[0.25, 0.5, 0.25]].into_dyn(),
            Meaning::Probabilities,
            Some(&labels),
        );
        let bars = ["█".repeat(15), "█".repeat(7) + "▌"];
        assert_eq!(
            text,
            format!(
                "y: 3 classes\n  mouse   50.00 %  {}\n  cat     25.00 %  {}\n",
                bars[0], bars[1]
            )
        );
    }

    #[test]
    fn scores_become_probabilities() {
        let scores = [0.0, 2f32.ln(), f32::NEG_INFINITY];
        let ranked = rank(&scores, Meaning::Scores);
        assert_eq!(ranked.iter().map(|one| one.class).collect::<Vec<_>>(), [1, 0, 2]);
        assert!((ranked[0].probability - 2.0 / 3.0).abs() < 1e-6);
        let logs = rank(&[0.25f32.ln(), 0.75f32.ln()], Meaning::LogProbabilities);
        assert!((logs[0].probability - 0.75).abs() < 1e-6);
    }

    #[test]
    fn several_images_get_a_line_each() {
        let text = written(&array![[0.1, 0.9], [0.8, 0.2]].into_dyn(), Meaning::Probabilities, None);
        assert!(
            text.contains("  image 0: 1 (90.00 %), 0 (10.00 %)\n  image 1: 0 (80.00 %)"),
            "{text}"
        );
        let many = ArrayD::zeros(vec![LISTED + 3, 2]);
        assert!(written(&many, Meaning::Probabilities, None).contains("… 3 more"));
    }

    #[test]
    fn small_maps_are_printed() {
        let map = array![[[[4.0, 3.0, 4.0], [2.0, 4.0, 3.0], [2.0, 3.0, 4.0]]]].into_dyn();
        let text = written(&map, Meaning::Values, None);
        assert_eq!(
            text,
            "y: 1 × 1 × 3 × 3, least 2, mean 3.222222, greatest 4\n  4 3 4\n  2 4 3\n  2 3 4\n"
        );
    }

    #[test]
    fn nan_is_said() {
        let text = written(&array![[f32::NAN, 1.0]].into_dyn(), Meaning::Probabilities, None);
        assert!(
            text.contains("  1  100.00 %") && text.contains("1 of 2 values are NaN"),
            "{text}"
        );
        let all = written(&array![[f32::NAN]].into_dyn(), Meaning::Values, None);
        assert!(all.contains("1 of 1 values are NaN") && !all.contains("least"), "{all}");
    }
}
