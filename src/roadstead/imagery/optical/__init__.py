"""The scenes of one overpass as one image of reflectances."""
