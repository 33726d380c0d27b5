import type { DatasetName } from "./index.ts";

/** A published file: where it is, and its MD5 as its authors or torchvision state it. */
export interface SourceFile {
  readonly name: string;
  readonly url: string;
  readonly md5: string;
}

const fashion = (name: string, md5: string): SourceFile => ({
  name,
  md5,
  url: `https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/${name}`,
});
const cifar = (name: string, md5: string): SourceFile => ({
  name,
  md5,
  url: `https://www.cs.toronto.edu/~kriz/${name}`,
});
const svhn = (name: string, md5: string): SourceFile => ({
  name,
  md5,
  url: `http://ufldl.stanford.edu/housenumbers/${name}`,
});

/** What `eigensam data fetch` downloads; sets that are not here need no download. */
export const sources: Readonly<Partial<Record<DatasetName, readonly SourceFile[]>>> = {
  "fashion-mnist": [
    fashion("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    fashion("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
    fashion("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
    fashion("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
  ],
  cifar10: [cifar("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530")],
  cifar100: [cifar("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8")],
  svhn: [
    svhn("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
    svhn("test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
  ],
};
