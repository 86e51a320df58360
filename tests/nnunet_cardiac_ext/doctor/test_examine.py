from nnunet_cardiac_ext.doctor import examine as package_function
from nnunet_cardiac_ext.doctor import probe
from nnunet_cardiac_ext.doctor.check import ok


def test_cheap_findings_come_before_torch_is_loaded(nnunet_root, monkeypatch):
    started = []

    def slow():
        started.append(True)
        yield ok("device: loaded last")

    monkeypatch.setattr(probe, "trainers_and_device", slow)
    findings = package_function()
    early = [next(findings) for _ in range(3)]
    assert early[0].what.startswith("python ")
    assert not started
    whole = [*early, *findings]
    assert whole[-1].what == "device: loaded last"
    words = ("nnUNet_raw=", "nnUNet_raw: ", "nnUNet_def_n_proc", "nnUNet_extTrainer", "device:")
    places = [next(place for place, check in enumerate(whole) if check.what.startswith(word)) for word in words]
    assert places == sorted(places)
