//! What a user says about inputs: `--input [NAME=]FILE …` and how pictures are to be prepared.

use clap::error::{Error, ErrorKind};
use clap::{ArgMatches, Args, Command, FromArgMatches};
use cnn::io::image::{Fit, Normalise, Preparation};

/// What to feed the network.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Inputs {
    /// One for each `--input`: its values as they were given.
    pub(super) groups: Vec<Vec<String>>,
    pictures: Pictures,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Inputs")]
struct Flags {
    /// An input: .npy arrays, pictures (PNG, JPEG, WebP, BMP, GIF), folders of them, `-` for standard input, or made-up
    /// numbers. Several files are a batch. Several inputs: an --input for each, in order or by name
    #[arg(long = "input", short, value_name = "[NAME=]FILE…|random[:SEED]")]
    inputs: Vec<String>,
    // Takes what stands after `--input a.png`, so that a model may still follow `--input x.npy`.
    #[arg(hide = true, value_name = "FILE")]
    more: Vec<String>,
    #[command(flatten)]
    pictures: Pictures,
}

/// How pictures become inputs.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct Pictures {
    /// How a picture gets the input's size: stretch (height and width each), cover (cut what is too much) or contain
    /// (black where it is too little) [default: stretch; cover with --resize or --crop]
    #[arg(long, value_name = "HOW")]
    fit: Option<Fit>,
    /// Pixels of a picture's shorter side before it is cut, as torchvision's Resize
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    resize: Option<u32>,
    /// Pixels of the square cut from its middle, as torchvision's CenterCrop
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    crop: Option<u32>,
    /// Subtracted from a picture's values (0 … 1): one number, or one a channel
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', allow_hyphen_values = true)]
    mean: Vec<f32>,
    /// Divides a picture's values after that
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    std: Vec<f32>,
}

impl Inputs {
    /// What was given under another flag, each as one `--input`.
    pub(in crate::cli) fn new(groups: Vec<Vec<String>>, pictures: Pictures) -> Inputs {
        Inputs { groups, pictures }
    }

    /// Whether there is any.
    pub(in crate::cli) fn are_given(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Whether anything is said that only pictures can follow.
    pub(super) fn prepares(&self) -> bool {
        let Pictures {
            fit,
            resize,
            crop,
            mean,
            std,
        } = &self.pictures;
        fit.is_some() || resize.is_some() || crop.is_some() || !mean.is_empty() || !std.is_empty()
    }

    /// All that is given, as it is given.
    pub(in crate::cli) fn texts(&self) -> Vec<String> {
        self.groups.concat()
    }

    /// The same for other files.
    pub(super) fn with_groups(&self, groups: Vec<Vec<String>>) -> Inputs {
        Inputs {
            groups,
            pictures: self.pictures.clone(),
        }
    }

    /// The height and width that a picture is to have: its own, unless `--resize` or `--crop` say otherwise.
    pub(super) fn size_of(&self, size: [usize; 2]) -> [usize; 2] {
        let pixels = |side: Option<u32>| side.map(|side| side as usize);
        match (pixels(self.pictures.crop), pixels(self.pictures.resize)) {
            (Some(side), _) => [side, side],
            (None, Some(side)) => {
                let [height, width] = size.map(|pixels| pixels.max(1) as u128);
                let longer =
                    |long: u128, short: u128| usize::try_from(side as u128 * long / short).unwrap_or(usize::MAX);
                match height < width {
                    true => [side, longer(width, height)],
                    false => [longer(height, width), side],
                }
            }
            (None, None) => size,
        }
    }

    /// Whether it is said how a picture gets the input's size.
    pub(super) fn fits(&self) -> bool {
        self.pictures.fit.is_some()
    }

    /// How pictures are prepared, within `max_memory` bytes.
    pub(super) fn preparation(&self, max_memory: Option<u64>) -> Preparation {
        let Pictures {
            fit,
            resize,
            crop,
            mean,
            std,
        } = &self.pictures;
        let cut = resize.is_some() || crop.is_some();
        let mut normalise = Normalise::default();
        if !mean.is_empty() {
            normalise.mean.clone_from(mean);
        }
        if !std.is_empty() {
            normalise.std.clone_from(std);
        }
        Preparation {
            fit: fit.unwrap_or(if cut { Fit::Cover } else { Fit::default() }),
            resize: resize.map(|side| side as usize),
            crop: crop.map(|side| side as usize),
            normalise,
            max_memory,
        }
    }
}

impl Args for Inputs {
    fn augment_args(command: Command) -> Command {
        Flags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Flags::augment_args_for_update(command)
    }
}

impl FromArgMatches for Inputs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Inputs, Error> {
        let flags = Flags::from_arg_matches(matches)?;
        let places = |id: &str| matches.indices_of(id).into_iter().flatten();
        // What stands after an `--input` belongs to it.
        let begins = places("inputs")
            .zip(flags.inputs)
            .map(|(place, text)| (place, true, text));
        let goes_on = places("more").zip(flags.more).map(|(place, text)| (place, false, text));
        let mut all: Vec<_> = begins.chain(goes_on).collect();
        all.sort_by_key(|(place, ..)| *place);
        let mut groups: Vec<Vec<String>> = Vec::new();
        for (_, begins, text) in all {
            match groups.last_mut() {
                _ if begins => groups.push(vec![text]),
                Some(group) => group.push(text),
                None => {
                    let problem = format!("unexpected argument `{text}`; inputs are given with --input");
                    return Err(Error::raw(ErrorKind::UnknownArgument, problem));
                }
            }
        }
        Ok(Inputs {
            groups,
            pictures: flags.pictures,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Inputs::from_arg_matches(matches)?;
        Ok(())
    }
}
