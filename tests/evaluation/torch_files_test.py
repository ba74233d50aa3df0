import base64
import pathlib
import pickle
import zlib

import numpy as np
import pytest

from vaegan_tf.evaluation.torch_files import read_state_dict

# What torch.save of PyTorch 2.13 wrote, in both of its forms, compressed: a
# matrix, its transpose and the end of it in one storage, a parameter of
# float64 and a whole number.
ZIP = (
    "c-o~^yKmD#7{A!5n;PhgM;}0e0wsYqO;R^;si2irnZZb;K}Zox<R+%EaN~T=r3e-(p%$1*"
    "8JH02$bZ1f!otRagv5dvs!pto+}UkvU;0qX$(K`-`#sM7eV?-$A4Vt=K~19*btBy=md!<D"
    "w4`G_UVUt-N;`TO7)xBSXj_(1#HL-TiT9k6;TWYEvxr4Nu^fb=`4Az~fh%I0u*C~?Y+5z3"
    ";23jt(<&9PQK{KZVKF5FAC2Z)$>ti_sm~h__8_8a**d=O{U}0<OPBy5&y%%StwXCOV2I3W"
    "NaHkq1==)T3$1|ox=alm!*DzYCtMJQ_A(JEhs!Nxq3pssD2&&*73kDL6y4>)x-p#0!Kr+h"
    "!gSMu(=77LtQOX|W$4jD%h2ng`Y`n8;H)cFg>!oxxvD$*f`JW3g!3Nj)<I|N`kZAnPCDT7"
    "B;f)P<S<-xPq+-1sNkR{cp1Z$99(_nei?cR*K*+9@Cw8N)OYR5e1rJ9yCnrT2yqC*Fd>e`"
    "Ji-wS@f?iS<5{gW@^O80=m*(KXLiq^^q|2;P~wklXF<n>MZ>9)K&Z+9lNWX*sm`ZAKVMKs"
    "bndOwk1{(tTNx?nmN{QpFe+G8#tx9$b)+R~VCo5MazujL*FYDVY8aS%iVd5FT~#KJqPsmT"
    "6JyJu9+q$Y?h}ZLu&;-9bURR$qX|{H`5y*6)}<-(F-<Nqm&jb7rjB~vY^?Q?KY9;vG#qr4"
    "RFx<?oc`Y_Zw-H@x~r?}zdGFxw7;$t)J>^M;?Q@Zb&HMaR=;o9R4B5qZU>rd=r&@WIqD-A"
    "6RGmI5AzQW&ffq^?G%7}<eK4_qynDlwEGs!lB&cHX(S;_6Ot^;Qf4AOo{;3s*mxqD8A~SR"
    "lq{tsSxTf5<VsVQ@4qNtqr^wlbs3^&8$SK5qO-|4`yOG@{szz!K*l(<S94)W{6*X!AX)R1"
    "G<6P^$6ttD0iJFiH8%hj?ys8m0Q?<~nA&Br{^SR-(J+HevRHq5gV=Qzn_{v4{B;Ddy)B4M"
    "I}7&5Vjuv1>jUo|*sLZ9!`t!ZM;gdBX1&9Ct1N7ntKe4d^DPhFo1;bWFm3LBZ|^_VUiTF"
)
PICKLES = (
    "c-noE%Wl&^6o&1wlYpV6+$q;`cesRLr%|$^i>jO9R<rR2S*|mxjg0LxKCT2(rEC%k&%lBu"
    "kHPEk1|YHE*p3R30+we+bA0Cie*K;?`((twK5zY8d-L_>YG=%zeb;E-2gP((6h+BoifNF>"
    "-ky+olqR53gS$ju;s`Moo=8TKp8z{>4JzWhOn7<pUgV(dgKoMFD&}D-5gMGi8ttM4p~-bu"
    "FE!F+7g}5|3StI?iA8`!$&D9sB%~N^Mgbb2v>i}QSEUm^umDpTgdMNID9#N}ik%{gM;?kK"
    "Po=kK8K9Y_+bY4->F)~A>m$Ziocj2xE*j8qm#Jsi>)E#5ANK5l)g3^y@)%?V*=jyVII_(Z"
    "&bT&(qg><a6pW8yY3CTiaR-(vPYBB)AwxY}D0w2RrB+HQjk777<Z7vSs+Ky9aK?eNRUqg`"
    "F`WCK+WDE<g>9~LHi1>HPT*p#bP3_I16L|j8C?BGP?<0Nw*rMU;95<Z#j}|fJFz&-XYCK("
    "8d!tAWv^Rso$!qCH>zAFaI?hUs`0lG?l^GwpxT%pfaZIZmjv$5fu7QDKg2wk!wiSR?s^{{"
    "5=JFVhcNASE&m9i>%imks=O|*=K^=?A}zKkMon~>^7r%ONxkad)LEr9Tbpxz<FapqUK(Q>"
    "Up9UN?Jm&N"
)
MATRIX = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture(params=[ZIP, PICKLES], ids=["zip", "pickles"])
def path(request, tmp_path):
    content = zlib.decompress(base64.b85decode(request.param))
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    return path


def test_tensors_come_back(path):
    found = read_state_dict(path)
    assert list(found) == ["a", "t", "tail", "p", "n"]
    np.testing.assert_array_equal(found["a"], MATRIX)
    np.testing.assert_array_equal(found["t"], MATRIX.T)
    np.testing.assert_array_equal(found["tail"], [4.0, 5.0])
    np.testing.assert_array_equal(found["p"], [1.5, -2.5])
    np.testing.assert_array_equal(found["n"], 7)
    types = [str(found[name].dtype) for name in ("a", "p", "n")]
    assert types == ["float32", "float64", "int64"]


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.97])
def test_files_cut_short_are_refused(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    message = r"weights\.pth holds no weights of PyTorch that can be read"
    with pytest.raises(ValueError, match=message):
        read_state_dict(path)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"{}"])
def test_other_files_are_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="holds no weights of PyTorch"):
        read_state_dict(path)


class Harmful:
    """Would make a file when it is read by plain `pickle`."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


def test_nothing_in_a_file_is_run(path, tmp_path):
    target = tmp_path / "touched"
    path.write_bytes(pickle.dumps(Harmful(target)))
    with pytest.raises(ValueError, match=r"it asks for .*(pathlib|getattr)"):
        read_state_dict(path)
    assert not target.exists()


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_state_dict(tmp_path / "none.pth")
