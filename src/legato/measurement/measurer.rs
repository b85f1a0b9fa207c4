//! From stamps to rows of a catalogue.

use super::surroundings::look_around;
use super::{Object, Progress};
use crate::engine::Gpu;
use crate::fits::{Flags, Row, Stamp};
use crate::legato::{
    Estimate, Estimator, ModelFit, Modeller, OUT_OF_DOMAIN, Observed, Parameter, PixelNoise, Provenance,
    RepeatOptions, Repeater, Shape, out_of_domain, residual_score,
};
use crate::{Error, Result};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::thread::ScopedJoinHandle;

/// Noise that differs from the networks' by less than this factor is left as it is.
const DEPTH: f64 = 1.5;

/// Measures stamps with a set of networks. What it finds of a galaxy depends on no other, to the last bit.
pub struct Measurer<'a> {
    gpu: &'a Gpu,
    estimators: &'a BTreeMap<Parameter, Estimator>,
    networks: &'a Provenance,
    size: usize,
    options: RepeatOptions,
    repeater: Repeater<'a>,
    modeller: Option<&'a Modeller>,
}

impl<'a> Measurer<'a> {
    /// With these networks, in batches of `batch` stamps, each measured once and so without errors.
    ///
    /// # Errors
    /// There is no network, or the device fails.
    pub fn new(gpu: &'a Gpu, estimators: &'a BTreeMap<Parameter, Estimator>, batch: usize) -> Result<Self> {
        let options = RepeatOptions { repeats: 0, batch, ..RepeatOptions::default() };
        Self::with_repeats(gpu, estimators, &options)
    }

    /// With these networks, each stamp as often as the options say.
    ///
    /// # Errors
    /// As [`Measurer::new`].
    pub fn with_repeats(
        gpu: &'a Gpu,
        estimators: &'a BTreeMap<Parameter, Estimator>,
        options: &RepeatOptions,
    ) -> Result<Self> {
        let Some(any) = estimators.values().next() else {
            return Err(Error::Usage("no trained network was given".into()));
        };
        Ok(Measurer {
            gpu,
            estimators,
            networks: &any.provenance,
            size: any.stamp_size(),
            options: *options,
            repeater: Repeater::new(gpu, estimators, options)?,
            modeller: None,
        })
    }

    /// The same, which also renders what it measured beside the pixels: position angles, χ² and models.
    #[must_use]
    pub fn with_models(self, modeller: Option<&'a Modeller>) -> Self {
        Measurer { modeller, ..self }
    }

    /// Pixels along a side of the stamps that it takes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// What any of the networks says of the images that it takes; all take the same.
    pub fn networks(&self) -> &Provenance {
        self.networks
    }

    /// A row an object, in order; `hear` is told their models and how many more are done. Models are made while the
    /// device measures the next of them.
    ///
    /// # Errors
    /// The device fails.
    pub fn measure(&self, objects: &[Object], hear: &mut impl FnMut(Progress)) -> Result<Vec<Row>> {
        let mut rows = Vec::with_capacity(objects.len());
        let models = self.models();
        let mut settle = |batch: &[Object], (found, models): (Vec<Row>, Vec<Option<ModelFit>>)| {
            for ((object, row), model) in batch.iter().zip(&found).zip(&models) {
                if let Some(model) = model {
                    hear(Progress::Modelled { object, row, model });
                }
            }
            rows.extend(found);
            hear(Progress::Measured(batch.len() as u64));
        };
        std::thread::scope(|scope| {
            let mut under_way: Option<(&[Object], ScopedJoinHandle<_>)> = None;
            let finished = |handle: ScopedJoinHandle<_>| match handle.join() {
                Ok(made) => made,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            for batch in objects.chunks(self.repeater.chunk()) {
                let found = self.measure_batch(batch)?;
                if let Some((before, handle)) = under_way.take() {
                    settle(before, finished(handle));
                }
                under_way = Some((batch, scope.spawn(move || models.of(batch, found))));
            }
            if let Some((batch, handle)) = under_way {
                settle(batch, finished(handle));
            }
            Ok(())
        })?;
        Ok(rows)
    }

    /// By what to multiply a stamp for the networks. What they can tell of a galaxy is a matter of its light over the
    /// noise, and they know one noise: where the image's is another, the flux is scaled so that it is theirs, and the
    /// magnitude is scaled back. 1 where it is theirs to a factor of [`DEPTH`], or not known. A border that looks noisier
    /// tells nothing, since light passes for noise there; only a map does. And nothing is made brighter than all that the
    /// networks know.
    fn gain(&self, stamp: &Stamp) -> f64 {
        let gain = self.networks.sigma / stamp.sky.sigma;
        let other = gain > DEPTH || (stamp.rms.is_some() && gain < 1.0 / DEPTH);
        if !(other && gain.is_finite() && gain > 0.0) {
            return 1.0;
        }
        gain.min(self.most_gain(stamp).max(1.0))
    }

    /// What makes all light on a stamp as bright as the brightest galaxy that the networks know.
    fn most_gain(&self, stamp: &Stamp) -> f64 {
        let Some(magnitude) = self.estimators.get(&Parameter::Magnitude) else { return f64::INFINITY };
        // The flux of one unit of an image is what a magnitude of its zero point means.
        let brightest = self.networks.flux_factor(magnitude.scaling().min).unwrap_or(f64::INFINITY);
        let light: f64 = stamp.pixels.iter().map(|&pixel| f64::from(pixel) - stamp.sky.level).sum();
        if light > 0.0 { brightest / light } else { f64::INFINITY }
    }

    fn models(&self) -> Models<'a> {
        let corrections = self.estimators.values().filter_map(|estimator| estimator.correction.as_ref());
        let usual = corrections.filter_map(|correction| correction.unexplained).next().unwrap_or(f64::NAN);
        Models { modeller: self.modeller, usual }
    }

    fn measure_batch(&self, objects: &[Object]) -> Result<Vec<Row>> {
        let gains: Vec<f64> = objects.iter().map(|o| self.gain(&o.stamp)).collect();
        let mut pixels: Vec<f32> = Vec::new();
        for (object, &gain) in objects.iter().zip(&gains) {
            pixels.extend(object.stamp.pixels.iter().map(|pixel| pixel * gain as f32));
        }
        let keys: Vec<u64> = objects.iter().map(|o| o.index).collect();
        // Zero where there is no noise to be seen, which is none that copies could get.
        let sigma: Vec<f64> = objects.iter().zip(&gains).map(|(o, gain)| gain * o.stamp.sky.sigma).collect();
        let mut rows: Vec<Row> = objects.iter().map(|o| o.row.clone()).collect();
        let measured = self.repeater.measure(&pixels, &keys, &sigma)?;
        for (((row, object), measured), gain) in rows.iter_mut().zip(objects).zip(measured).zip(gains) {
            if row.flags.contains(Flags::NO_DATA) {
                continue;
            }
            for (parameter, Estimate { value, err_lo, err_hi, .. }) in measured.estimates {
                row.flags.set(Flags::OUT_OF_RANGE, !self.estimators[&parameter].scaling().contains(value));
                // Of the image's pixels, whatever the networks'.
                let unit = if parameter == Parameter::Radius { object.stamp.ratio } else { 1.0 };
                let brighter = if parameter == Parameter::Magnitude { 2.5 * gain.log10() } else { 0.0 };
                *field(row, parameter) = unit * value + brighter;
                *errors(row, parameter) = [unit * err_lo, unit * err_hi];
            }
            row.ood = out_of_domain(measured.disagreement);
            row.flags.set(Flags::OUT_OF_DOMAIN, row.ood > OUT_OF_DOMAIN);
            row.flags.set(Flags::OTHER_DEPTH, gain != 1.0);
        }
        rows.par_iter_mut().zip(objects).for_each(|(row, object)| look_around(object, row));
        for (row, object) in rows.iter_mut().zip(objects) {
            row.re_arcsec = object.pixel_scale * row.re_maj;
            // Not `max`, which would make 0 of an unknown axis ratio.
            row.re_circ = row.re_maj * row.q.clamp(0.0, f64::INFINITY).sqrt();
        }
        Ok(rows)
    }

    /// What a catalogue says of how its rows were measured.
    pub fn describe(&self) -> Vec<(String, String)> {
        let mut entries = vec![
            ("PROGRAM".to_owned(), format!("legato {}", env!("CARGO_PKG_VERSION"))),
            ("ADAPTER".to_owned(), self.gpu.description()),
        ];
        for (parameter, estimator) in self.estimators {
            let made = &estimator.provenance;
            let text = format!(
                "{}, {}, {}, {} images seen, validation R2 {:.4}",
                estimator.path.display(),
                estimator.checksum,
                made.survey,
                made.images_seen,
                made.validation_r2
            );
            entries.push((format!("MODEL {}", parameter.column()), text));
        }
        if let Some(modeller) = self.modeller {
            entries.push(("PSF".to_owned(), modeller.psf().to_owned()));
        }
        let flags: Vec<String> =
            Flags::NAMES.iter().map(|(flag, name)| format!("{} {name}", flag.0)).collect();
        entries.push(("FLAGS".to_owned(), format!("sum of {}", flags.join(", "))));
        let RepeatOptions { repeats, seed, batch } = self.options;
        entries.push(("BATCH".to_owned(), batch.to_string()));
        entries.push(("REPEATS".to_owned(), format!("{repeats}, seed {seed}")));
        entries
    }
}

/// What renders what was measured.
#[derive(Clone, Copy)]
struct Models<'a> {
    /// None where nothing is rendered.
    modeller: Option<&'a Modeller>,
    /// The part of a galaxy's light that the model of one in a hundred leaves unexplained; NaN where it is not known.
    usual: f64,
}

impl Models<'_> {
    /// The models of objects, and their rows with what the models say.
    fn of(self, objects: &[Object], mut rows: Vec<Row>) -> (Vec<Row>, Vec<Option<ModelFit>>) {
        let Some(modeller) = self.modeller else { return (rows, Vec::new()) };
        let model = |(object, row): (&Object, &Row)| {
            let stamp = &object.stamp;
            let noise = stamp.rms.as_deref().map_or(PixelNoise::Sky(stamp.sky.sigma), PixelNoise::Map);
            let (x, y) = stamp.centre;
            let observed = Observed { pixels: &stamp.pixels, noise, bad: Some(&stamp.filled), x, y };
            modeller.fit(&observed, &Shape { re_maj: row.re_maj / stamp.ratio, n: row.n, q: row.q })
        };
        let models: Vec<_> = objects.par_iter().zip(&rows).map(model).collect();
        for (row, model) in rows.iter_mut().zip(&models) {
            if let Some(model) = model {
                (row.pa, row.chi2) = (model.pa, model.chi2);
                row.ood = row.ood.max(residual_score(model.unexplained(), self.usual));
                row.flags.set(Flags::OUT_OF_DOMAIN, row.ood > OUT_OF_DOMAIN);
            }
        }
        (rows, models)
    }
}

/// Where a row has a parameter.
fn field(row: &mut Row, parameter: Parameter) -> &mut f64 {
    match parameter {
        Parameter::Magnitude => &mut row.mag,
        Parameter::Radius => &mut row.re_maj,
        Parameter::SersicIndex => &mut row.n,
        Parameter::AxisRatio => &mut row.q,
    }
}

/// Where a row has a parameter's errors.
fn errors(row: &mut Row, parameter: Parameter) -> &mut [f64; 2] {
    match parameter {
        Parameter::Magnitude => &mut row.mag_err,
        Parameter::Radius => &mut row.re_maj_err,
        Parameter::SersicIndex => &mut row.n_err,
        Parameter::AxisRatio => &mut row.q_err,
    }
}
