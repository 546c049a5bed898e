"""Simulated views: practice scenes of the simulator, with the hulls they really hold."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from roadstead.imagery.visibility.clouds import SCL_CLOUD
from roadstead_lab.simulate.optical.atmosphere import SHADOW
from roadstead_lab.simulate.practice.scene import PracticeScene, practice_scene
from roadstead_lab.training.realism.views import Hull, View


def simulated_views(seed: int, count: int) -> Iterator[View]:
    """Make practice scenes number 0 to `count` - 1 of a seed."""
    for number in range(count):
        yield simulated_view(f"simulated-{number:03d}", practice_scene(seed, number))


def simulated_view(name: str, scene: PracticeScene) -> View:
    """Reduce a practice scene to a view; its hulls keep their true outline, size and state.

    Scenes seen through the air stand against the real true-colour mosaics, and so lose their near infrared.

    Cloud and its shadow (by SCL) become no data: the real scenes are clear, and their labels hold only ships that
    can be seen.
    """
    hidden = np.isin(scene.scl, (*SCL_CLOUD, SHADOW)).repeat(2, axis=0).repeat(2, axis=1)
    clear = scene.valid & ~hidden
    reflectance = np.where(clear, scene.reflectance, np.float32(np.nan)).astype(np.float32)
    if not scene.surface:
        reflectance[3] = np.nan
    hulls = tuple(
        Hull(
            f"{name}/{index}",
            np.asarray(hull.corners, np.float64),
            hull.spec.class_,
            hull.spec.kind,
            hull.state,
            hull.spec.length_m,
            hull.spec.beam_m,
            certain=True,
        )
        for index, hull in enumerate(scene.hulls)
    )
    return View(name, name, "simulated", reflectance, hulls)
